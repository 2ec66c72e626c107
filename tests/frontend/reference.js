// The files that Python wrote for these tests, and a place for files that Python reads back: tests/test_frontend.py.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.env.ATTENTION_LAB_REFERENCE;
if (!folder)
  throw new Error("These tests need reference files from Python: run pytest tests/figures/test_frontend.py.");

export const bytesFrom = (name) => new Uint8Array(readFileSync(join(folder, name)));
export const jsonFrom = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
export const writeBack = async (name, blob) => writeFileSync(join(folder, name), Buffer.from(await blob.arrayBuffer()));
