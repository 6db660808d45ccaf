import type { ComponentChildren } from "preact";

/** What opens below a button, and closes when the focus leaves it. */
export function Menu({ label, children }: { label: string; children: ComponentChildren }) {
  const close = (menu: HTMLDetailsElement) => menu.removeAttribute("open");
  return (
    <details
      class="menu"
      onFocusOut={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) close(event.currentTarget);
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        close(event.currentTarget);
        event.currentTarget.querySelector("summary")!.focus();
      }}
    >
      <summary>{label}</summary>
      <div class="panel" tabIndex={-1}>
        {children}
      </div>
    </details>
  );
}
