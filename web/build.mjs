// Builds the page: `node build.mjs FOLDER`. What it makes is the same wherever it is made.
import { build } from "esbuild";
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";

const folder = process.argv[2];
const target = ["chrome123", "firefox120", "safari17.5"]; // the first with light-dark()
const common = { bundle: true, format: "esm", target, charset: "utf8", logLevel: "warning" };

// One file with all that is not ours, which changes seldom: the other stays readable.
const fromVendor = {
  name: "vendor",
  setup({ onResolve }) {
    onResolve({ filter: /^(preact|@preact\/|uplot$)/ }, () => ({
      path: "./vendor.js",
      external: true,
    }));
  },
};

await mkdir(folder, { recursive: true });
await Promise.all([
  build({
    ...common,
    entryPoints: ["src/vendor.ts"],
    outfile: join(folder, "vendor.js"),
    minify: true,
    legalComments: "inline",
  }),
  build({
    ...common,
    entryPoints: ["src/main.tsx"],
    outfile: join(folder, "app.js"),
    jsx: "automatic",
    jsxImportSource: "preact",
    plugins: [fromVendor],
  }),
  build({ ...common, entryPoints: ["src/styles/app.css"], outfile: join(folder, "app.css") }),
  copyFile("src/index.html", join(folder, "index.html")),
  copyFile("src/icon.svg", join(folder, "icon.svg")),
]);
