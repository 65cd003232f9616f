/**
 * A page with Uppy as it is published. It is bundled once with version 6 and once with version 5.
 */
import Uppy from '@uppy/core';
import AwsS3 from '@uppy/aws-s3';

/** How Uppy gets its signatures. */
export type Mode = 'companionEndpoint' | 'signRequest' | 'endpoint';

/** What a test chooses. */
export interface Options {
  mode: Mode;
  url: string;
  token: string;
  /** Whether files are sent in parts; by default Uppy decides. */
  multipart?: boolean;
  /** The metadata of each file. */
  meta?: Record<string, string>;
}

/** What has become of a file. */
export interface End {
  name: string;
  key?: string;
  location?: string;
  error?: string;
}

type File = ReturnType<Uppy['getFiles']>[number];

/** Starts Uppy for the files that are selected in the input element. */
function start(options: Options): void {
  const uppy = new Uppy({ autoProceed: true });
  const plugin = pluginOptions(options, uppy);
  const { multipart } = options;
  // Each of the two versions has options that the other one does not know.
  const all = { ...plugin, ...(multipart === undefined ? {} : { shouldUseMultipart: multipart }) };
  uppy.use(AwsS3, all as never);
  const ends: End[] = [];
  uppy.on('upload-success', (file, response) => {
    const body = response.body as { key?: string; location?: string } | undefined;
    ends.push({ name: file?.name ?? '', key: body?.key, location: response.uploadURL });
  });
  uppy.on('upload-error', (file, error) => {
    ends.push({ name: file?.name ?? '', error: error.message });
  });
  const input = document.querySelector('input')!;
  input.addEventListener('change', () => {
    for (const file of input.files ?? []) {
      const meta = { ...options.meta, relativePath: file.webkitRelativePath || undefined };
      uppy.addFile({ name: file.name, type: file.type, data: file, meta });
    }
    // The same file can be selected again.
    input.value = '';
  });
  Object.assign(window, { uppy, ends });
}

function pluginOptions({ mode, url, token }: Options, uppy: Uppy): object {
  const headers = { authorization: `Bearer ${token}` };
  switch (mode) {
    case 'companionEndpoint':
      return { companionEndpoint: `${url}/t/${token}` };
    case 'endpoint':
      return { endpoint: url, headers };
    case 'signRequest': {
      // The requests to sign do not name the file. Its key does.
      const keyOf = (file: File) => `${file.id}/${file.name}`;
      return {
        generateObjectKey: keyOf,
        signRequest: async (request: { key: string }) => {
          const file = uppy.getFiles().find((one) => keyOf(one) === request.key);
          const response = await fetch(`${url}/s3/sign`, {
            method: 'POST',
            headers: { ...headers, 'content-type': 'application/json' },
            body: JSON.stringify({ ...request, size: file?.size, metadata: file?.meta }),
          });
          const answer = await response.json();
          if (!response.ok) {
            throw new Error(answer.detail);
          }
          return answer;
        },
      };
    }
  }
}

Object.assign(window, { start });
