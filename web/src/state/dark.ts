// Whether the page is dark at the moment: by the person's choice, or by the system's.
import { computed, signal } from "@preact/signals";

import { theme } from "./preferences";

const media = matchMedia("(prefers-color-scheme: dark)");
const ofSystem = signal(media.matches);
media.addEventListener("change", () => (ofSystem.value = media.matches));

export const isDark = computed(() =>
  theme.value === "auto" ? ofSystem.value : theme.value === "dark",
);
