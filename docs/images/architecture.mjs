// Draws architecture.dot, with Graphviz as WebAssembly: `make architecture`.
import { readFileSync } from "node:fs";
import { instance } from "@viz-js/viz";

const source = readFileSync(new URL("architecture.dot", import.meta.url), "utf8");
const titled = source.replace(/label="([^"\\]+)\\n([^"]+)"/g, (_, title, details) => {
  const lines = details.replaceAll("\\n", "<br/>");
  return `label=<<b>${title}</b><font point-size="4"><br/> <br/></font><font point-size="9.5">${lines}</font>>`;
});
const drawn = (await instance()).renderString(titled, { format: "svg" });

// Graphviz places each line by the width that it estimates. Centre the lines instead, whatever font the reader has.
const centred = drawn.replace(/<g id="node\d+"[^]*?<\/g>/g, (node) => {
  if (!node.includes('font-weight="bold"')) return node;
  const xs = [...node.match(/ d="([^"]+)"/)[1].matchAll(/(-?[\d.]+),/g)].map((match) => Number(match[1]));
  const middle = ((Math.min(...xs) + Math.max(...xs)) / 2).toFixed(2);
  return node.replace(/text-anchor="start" x="[^"]+"/g, `text-anchor="middle" x="${middle}"`);
});
process.stdout.write(centred);
