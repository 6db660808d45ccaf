// What a person has chosen, kept in this browser alone.
import { effect, signal, type Signal } from "@preact/signals";

export const LANGUAGES = { en: "English", zh: "简体中文" } as const;
export type Language = keyof typeof LANGUAGES;
export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];
/** How often what is shown is asked for anew, in seconds; 0: only when asked to. */
export const INTERVALS = [2, 5, 15, 60, 0] as const;

export const language = kept<Language>("language", languageOfBrowser(), (x) => Object.hasOwn(LANGUAGES, String(x)));
export const theme = kept<Theme>("theme", "auto", (x) => THEMES.includes(x as Theme));
export const interval = kept<number>("interval", 5, (x) => INTERVALS.includes(x as 5));

effect(() => {
  document.documentElement.dataset.theme = theme.value;
});

effect(() => {
  document.documentElement.lang = language.value === "zh" ? "zh-CN" : "en";
});

/** A signal whose value outlives the page, if the browser lets it. */
export function kept<T>(name: string, usual: T, isFit: (value: unknown) => boolean): Signal<T> {
  const key = `rowlock.${name}`;
  let first = usual;
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(key) ?? "null");
    if (stored !== null && isFit(stored)) first = stored as T;
  } catch {
    // Storage is off, or has something else in it.
  }
  const found = signal(first);
  effect(() => {
    try {
      localStorage.setItem(key, JSON.stringify(found.value));
    } catch {
      // Then it lasts as long as the page.
    }
  });
  return found;
}

function languageOfBrowser(): Language {
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}
