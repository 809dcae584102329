// Placeholder until the layer rule lands in this file.
const plugin: Deno.lint.Plugin = { name: "tracedump", rules: {} };
export default plugin;
