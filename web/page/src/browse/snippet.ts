/**
 * Snippets of a search: plain text, with ⟦ and ⟧ around each match.
 */

/** A piece of a snippet. */
export interface SnippetPart {
  text: string;
  isMatch: boolean;
}

/** Divides a snippet into what matches and what does not. */
export function snippetParts(snippet: string): SnippetPart[] {
  return snippet
    .split(/(⟦[^⟦⟧]*⟧)/)
    .filter(Boolean)
    .map((text) => {
      const isMatch = text.startsWith('⟦') && text.endsWith('⟧');
      return { text: isMatch ? text.slice(1, -1) : text, isMatch };
    });
}
