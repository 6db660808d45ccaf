// All that is not ours and that each page needs, as one file.
export * from "preact";
export * from "preact/hooks";
export { jsx, jsxs } from "preact/jsx-runtime";
export * from "@preact/signals";
