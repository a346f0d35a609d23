// Draws architecture.dot, with Graphviz as WebAssembly: `make architecture`.
import { readFileSync } from "node:fs";
import { instance } from "@viz-js/viz";

const source = readFileSync(new URL("architecture.dot", import.meta.url), "utf8");
const titled = source.replace(/label="([^"\\]+)\\n([^"]+)"/g, (_, title, details) => {
  const lines = details.replaceAll("\\n", "<br/>");
  return `label=<<b>${title}</b><font point-size="4"><br/> <br/></font><font point-size="10.5">${lines}</font>>`;
});
process.stdout.write((await instance()).renderString(titled, { format: "svg" }));
