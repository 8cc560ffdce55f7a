/** Entry of the processes that `consentry` starts of itself; people run `bin/consentry.mjs`. */
import { main } from './main.js';

process.exitCode = await main(process.argv.slice(2));
