/**
 * Names and values, one pair a line.
 */
import type { ComponentChildren } from 'preact';

/** A name and its value. Pairs without a value are left out. */
export type Fact = [string, ComponentChildren];

/** Shows facts. */
export function Facts({ facts }: { facts: Fact[] }) {
  const known = facts.filter(([, value]) => value !== null && value !== undefined && value !== '');
  return (
    <dl class="facts">
      {known.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
