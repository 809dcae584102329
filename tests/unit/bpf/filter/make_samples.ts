/**
 * Writes the sample captures for filters.
 *
 * @module
 */
import {
  SAMPLE_LINK_TYPES,
  sampleName,
  samplesOf,
  writeCapture,
} from "./samples.ts";

const FOLDER = new URL("../../../golden/data/", import.meta.url);

for (const linkType of SAMPLE_LINK_TYPES) {
  Deno.writeFileSync(
    new URL(sampleName(linkType), FOLDER),
    writeCapture(linkType, samplesOf(linkType)),
  );
}
