// Builds the page: `node build.mjs FOLDER`. What it makes is the same wherever it is made.
import { build } from "esbuild";
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";

const folder = process.argv[2];
const target = ["chrome123", "firefox120", "safari17.5"]; // the first with light-dark()
const common = { bundle: true, format: "esm", target, charset: "utf8", logLevel: "warning" };

// What is not ours changes seldom, so that the other stays readable; and nobody loads the curves or
// the language that are not shown.
const APART = [
  [/^(preact|@preact\/)/, "vendor"],
  [/^uplot$/, "uplot"],
  [/^\.\/en$/, "en"],
  [/^\.\/zh$/, "zh"],
];
const apart = {
  name: "apart",
  setup({ onResolve }) {
    for (const [filter, name] of APART) {
      onResolve({ filter }, () => ({ path: `./${name}.js`, external: true }));
    }
  },
};

await mkdir(folder, { recursive: true });
const theirs = { ...common, minify: true, legalComments: "inline" };
await Promise.all([
  build({ ...theirs, entryPoints: ["src/vendor.ts"], outfile: join(folder, "vendor.js") }),
  build({ ...theirs, entryPoints: ["uplot"], outfile: join(folder, "uplot.js") }),
  build({ ...common, entryPoints: ["src/i18n/en.ts"], outfile: join(folder, "en.js") }),
  build({ ...common, entryPoints: ["src/i18n/zh.ts"], outfile: join(folder, "zh.js") }),
  build({
    ...common,
    entryPoints: { app: "src/main.tsx" },
    outdir: folder,
    // What the first page needs, what the others need besides, and what both do.
    splitting: true,
    chunkNames: "[name]",
    jsx: "automatic",
    jsxImportSource: "preact",
    plugins: [apart],
  }),
  build({ ...common, entryPoints: ["src/styles/app.css"], outfile: join(folder, "app.css") }),
  copyFile("src/index.html", join(folder, "index.html")),
  copyFile("src/icon.svg", join(folder, "icon.svg")),
]);
