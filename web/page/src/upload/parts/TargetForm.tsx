/**
 * The form that says where files go, and what is said about them.
 */
import { folderProblem } from '../collect/paths.js';
import {
  addMetadataRow,
  changeMetadataRow,
  comments,
  folder,
  metadata,
  metadataProblem,
  name,
  removeMetadataRow,
} from '../state/target.js';

/** The destination folder and, if opened, the details. */
export function TargetForm({ prefix }: { prefix: string }) {
  const problem = folderProblem(folder.value, prefix);
  return (
    <div class="stack">
      <label class="field">
        <span>Destination folder</span>
        <input
          value={folder.value}
          spellcheck={false}
          autocapitalize="off"
          aria-invalid={problem !== null}
          aria-describedby={problem ? 'folder-problem' : undefined}
          onInput={(event) => (folder.value = event.currentTarget.value)}
        />
      </label>
      {problem && <p id="folder-problem" class="field-problem" role="alert">{problem}</p>}
      <details>
        <summary>Details</summary>
        <div class="stack upload-details">
          <label class="field">
            <span>Name</span>
            <input value={name.value} onInput={(event) => (name.value = event.currentTarget.value)} />
          </label>
          <p class="hint">Used if you add a single file. By default, it is the name of the file.</p>
          <label class="field">
            <span>Comments</span>
            <textarea
              rows={2}
              value={comments.value}
              onInput={(event) => (comments.value = event.currentTarget.value)}
            />
          </label>
          <MetadataFields />
          <p class="hint">Comments and metadata are for all files that you add from now on.</p>
        </div>
      </details>
    </div>
  );
}

function MetadataFields() {
  const problem = metadataProblem(metadata.value);
  return (
    <fieldset class="metadata">
      <legend>Metadata</legend>
      {metadata.value.map(({ id, key, value }, index) => (
        <div class="metadata-row" key={id}>
          <input
            aria-label={`Key ${index + 1}`}
            placeholder="Key"
            value={key}
            autofocus
            onInput={(event) => changeMetadataRow(id, { key: event.currentTarget.value })}
          />
          <input
            aria-label={`Value ${index + 1}`}
            placeholder="Value"
            value={value}
            onInput={(event) => changeMetadataRow(id, { value: event.currentTarget.value })}
          />
          <button type="button" aria-label={`Remove pair ${index + 1}`} onClick={() => removeMetadataRow(id)}>
            Remove
          </button>
        </div>
      ))}
      {problem && <p class="field-problem" role="alert">{problem}</p>}
      <button type="button" onClick={addMetadataRow}>Add a pair</button>
    </fieldset>
  );
}
