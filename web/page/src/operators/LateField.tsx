/**
 * A field whose change is passed on when the user pauses.
 */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

const PAUSE_MS = 300;

/** A field of text. */
export function LateField({ label, value, placeholder, onChange }: {
  label: string;
  value: string;
  placeholder?: string;
  onChange: (text: string) => void;
}) {
  const text = useSignal(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    text.value = value;
    return () => clearTimeout(timer.current);
  }, [value]);
  return (
    <label class="field">
      <span>{label}</span>
      <input
        type="search"
        value={text.value}
        placeholder={placeholder}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => {
          text.value = event.currentTarget.value;
          clearTimeout(timer.current);
          timer.current = setTimeout(() => onChange(text.value.trim()), PAUSE_MS);
        }}
      />
    </label>
  );
}
