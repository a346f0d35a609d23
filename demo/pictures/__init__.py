"""Takes the pictures of docs/images: the demo's search jobs, their reports, and the browser that looks at them."""
