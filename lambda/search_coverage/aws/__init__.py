"""The only folder that talks to AWS: one thin class for each service we call."""
