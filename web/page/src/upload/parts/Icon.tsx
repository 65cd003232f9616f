/**
 * Icons of commands. They are decoration: the button has the words.
 */

const PATHS = {
  pause: 'M7 5v14M17 5v14',
  resume: 'M7 5l12 7-12 7z',
  cancel: 'M6 6l12 12M18 6L6 18',
  retry: 'M20 12a8 8 0 1 1-2.6-5.9M20 3v5h-5',
  receipt: 'M6 3h12v18l-3-2-3 2-3-2-3 2zM9 8h6M9 12h6',
  info: 'M12 11v6M12 7v.5M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18',
} as const;

/** The name of an icon. */
export type IconName = keyof typeof PATHS;

/** Draws an icon in the colour of the text. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg
      class="command-icon"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="2"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
