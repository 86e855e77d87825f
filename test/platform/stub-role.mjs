// Stands in for cli/main.ts: takes the commands of the roles, is ready at once, and does what a test asks by a file.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const name = process.argv.slice(2).join(' ');
const wish = join(process.env.MILLWRIGHT_HOME, 'run', 'wish');
console.log(`${name} starts; it ${process.env.DATABASE_URL ? 'sees' : 'does not see'} the database`);
if (existsSync(wish) && readFileSync(wish, 'utf8') === `die ${name}`) {
  console.error(`${name} cannot go on`);
  process.exit(7);
}
if (name === 'migrate') process.exit(0);
process.on('SIGINT', () => {});
process.on('SIGTERM', () => process.exit(0));
process.on('disconnect', () => process.exit(0));
process.send({ ready: true });
