// SPDX-License-Identifier: Apache-2.0
// Uses the types that openapi-typescript has made, without a single cast: use.js PUBLIC_URL ADMIN_URL FACTS.
import createClient from "openapi-fetch";
import type { components as adminComponents, paths as adminPaths } from "./admin.js";
import type { components, paths } from "./public.js";

declare const process: { argv: string[] };
type Schemas = components["schemas"];
type Line = Schemas["cars.line"];

function check(fine: boolean, what: unknown): asserts fine {
  if (!fine) throw new Error(`not so: ${JSON.stringify(what)}`);
}

const [url, adminUrl, text] = process.argv.slice(2);
check(url !== undefined && adminUrl !== undefined && text !== undefined, process.argv);
const facts: {
  car: Schemas["cars.row"];
  prediction: number;
  field: string;
  steps: Schemas["steps.row"][];
  stage: string;
  version: string;
} = JSON.parse(text);
// of each answer the forms that are JSON: the others are lines, as text
type Media = "application/json" | "application/problem+json";
const client = createClient<paths, Media>({ baseUrl: url });

// what a line is comes out of its members
function kindOf(line: Line): string {
  if ("error" in line) return `failed ${line.error.status} ${line.error.row}`;
  if ("skipped" in line) return `skipped ${line.skipped.stage}`;
  // @ts-expect-error: neither of the two is left
  line.error;
  return `answered ${line.prediction}`;
}

// one row: an answer, or a problem
const one = await client.POST("/models/cars/predict", { body: facts.car });
check(one.data !== undefined && !Array.isArray(one.data), one);
// @ts-expect-error: it may have been skipped, and then there is no prediction
one.data.prediction;
check("prediction" in one.data && one.data.prediction === facts.prediction, one.data);
// @ts-expect-error: a field of the wrong type does not compile
const failed = await client.POST("/models/cars/predict", { body: { ...facts.car, [facts.field]: [], make: 17 } });
check(failed.error !== undefined && failed.response.status === 422 && failed.error.status === 422, failed);
const title: string = failed.error.title;
check(title.length > 0 && failed.error.detail.length > 0, failed.error);

// several: each an answer, or why there is none
const broken: Schemas["cars.row"] = JSON.parse(JSON.stringify({ ...facts.car, [facts.field]: [] }));
const several = await client.POST("/models/cars/predict", { body: [facts.car, broken] });
check(Array.isArray(several.data), several);
check(several.data.map(kindOf).join() === `answered ${facts.prediction},failed 422 1`, several.data.map(kindOf));

// a row that the pipeline drops
const dropped = await client.POST("/models/steps/predict", { body: facts.steps });
check(Array.isArray(dropped.data) && dropped.data.length === 2, dropped);
const [first, second] = dropped.data;
check(first !== undefined && "x" in first && second !== undefined && "skipped" in second, dropped.data);
check(second.skipped.stage === facts.stage, second);

// other columns than the default
const columns = { query: { columns: "make_index", echo: ["make"] } };
const asked = await client.POST("/models/cars/predict", { params: columns, body: facts.car });
check(asked.data !== undefined && "make_index" in asked.data && typeof asked.data.make_index === "number", asked.data);

// a version that there is not
const missing = await client.POST("/models/cars/versions/{version}/predict", {
  params: { path: { version: "none" } },
  body: facts.car,
});
check(missing.error?.status === 404 && missing.error.type === "urn:scored:no-version", missing.error);

// what there is
const live = await client.GET("/livez");
check(live.data?.status === "live", live);
const ready = await client.GET("/readyz");
check(ready.data?.models["cars"] === "ready", ready);
const model = await client.GET("/models/cars");
check(model.data?.version === facts.version && model.data.reload.last_error === null, model);

// operators, on their listener
const admin = createClient<adminPaths, Media>({ baseUrl: adminUrl });
const back = await admin.POST("/models/cars/rollback");
const conflict: adminComponents["schemas"]["problem"] | undefined = back.error;
check(conflict?.status === 409, back);
const begun = await admin.POST("/models/cars/reload", { body: { force: false } });
check(begun.response.status === 202 && begun.data !== undefined && begun.data.attempt > 0, begun);
// @ts-expect-error: the public listener has no such path
type None = paths["/models/cars/reload"];
console.log("fine");
