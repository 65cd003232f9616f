// Copies the generated types to the package: the compiler does not copy declarations.
import { copyFileSync } from 'node:fs';

copyFileSync('src/schema.d.ts', 'dist/schema.d.ts');
