// All that is not ours, as one file.
export * from "preact";
export * from "preact/hooks";
export { jsx, jsxs } from "preact/jsx-runtime";
export * from "@preact/signals";
export { default } from "uplot";
