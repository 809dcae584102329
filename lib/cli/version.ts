/**
 * The version of the program.
 *
 * @module
 */

import project from "../../deno.json" with { type: "json" };

/** Version of the program, as the project file says. */
export const VERSION: string = project.version;
