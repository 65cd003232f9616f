/**
 * The field for the beginning of a path.
 */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

const PAUSE_MS = 250;

/** Asks for the beginning of a path. The change is passed on when the user pauses. */
export function StartsWith({ value, onChange }: {
  value: string;
  onChange: (text: string) => void;
}) {
  const text = useSignal(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    // The address was changed by something else, such as the Back button.
    text.value = value;
    return () => clearTimeout(timer.current);
  }, [value]);
  const change = (newText: string, pauseMs: number) => {
    text.value = newText;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onChange(newText.trim()), pauseMs);
  };
  return (
    <form
      class="starts"
      role="search"
      onSubmit={(event: Event) => {
        event.preventDefault();
        change(text.value, 0);
      }}
    >
      <label class="field">
        <span>Starts with</span>
        <input
          type="search"
          value={text.value}
          placeholder="/data/2026"
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          onInput={(event) => change(event.currentTarget.value, PAUSE_MS)}
        />
      </label>
    </form>
  );
}
