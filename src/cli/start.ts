/** Entry point of the processes that `consentry` starts itself; people run `bin/consentry.mjs`. */
import { main } from './main.js';

process.exitCode = await main(process.argv.slice(2));
