# SPDX-License-Identifier: Apache-2.0
"""Uses the clients that openapi-python-client has made: ``use.py FOLDER PUBLIC_URL ADMIN_URL < facts.json``."""

from __future__ import annotations

import json
import sys

folder, url, admin_url = sys.argv[1:]
sys.path.insert(0, folder)

import admin_client as admin  # noqa: E402
import public_client as public  # noqa: E402
from admin_client import models as operators  # noqa: E402
from admin_client.api.default import reload_cars, rollback_cars  # noqa: E402
from public_client import models as m  # noqa: E402
from public_client.api.default import (  # noqa: E402
    livez,
    metrics,
    model_cars,
    models,
    predict_cars,
    predict_kinds,
    predict_steps,
    readyz,
    schema_cars,
    version,
    version_predict_cars,
)

facts = json.load(sys.stdin)
client = public.Client(base_url=url)
car, bad = m.CarsRow.from_dict(facts["car"]), m.CarsRow.from_dict(facts["bad_car"])

# one row: an answer, or a problem
one = predict_cars.sync(client=client, body=car)
assert type(one) is m.CarsAnswer and one.prediction == facts["prediction"], one
problem = predict_cars.sync(client=client, body=bad)
assert type(problem) is m.RowProblem and problem.status == 422 and problem.field == facts["field"], problem

# several: each an answer, or why there is none
several = predict_cars.sync(client=client, body=[car, bad, car])
assert [type(x) for x in several] == [m.CarsAnswer, m.RowFailed, m.CarsAnswer], several
error = several[1].error
assert type(error) is m.RowError and (error.status, error.row) == (422, 1) and error.type_.startswith("urn:scored:")

# a row that the pipeline drops, alone and among others
steps = [m.StepsRow.from_dict(row) for row in facts["steps"]]
dropped = predict_steps.sync(client=client, body=steps[1])
assert type(dropped) is m.RowSkipped and dropped.skipped.stage == facts["stage"], dropped
assert [type(x) for x in predict_steps.sync(client=client, body=steps)] == [m.StepsAnswer, m.RowSkipped]

# other columns than the default
asked = predict_cars.sync(client=client, body=car, columns="make_index", echo=["make"])
assert type(asked) is m.CarsColumns and isinstance(asked.make_index, float), asked
assert asked["make"] == facts["car"]["make"]

# vectors, and numbers that JSON has none for
kinds = predict_kinds.sync(client=client, body=m.KindsRow.from_dict(facts["kind"]))
assert type(kinds) is m.KindsAnswer and kinds.to_dict() == facts["kind_answer"], kinds

# a version by its name, and one that there is not
known = version_predict_cars.sync(client=client, body=car, version=facts["version"])
assert known == one
unknown = version_predict_cars.sync(client=client, body=car, version="none")
assert type(unknown) is m.Problem and unknown.status == 404 and unknown.type_ == "urn:scored:no-version"

# what there is
assert livez.sync(client=client).status is m.LivenessStatus.LIVE
ready = readyz.sync(client=client)
assert type(ready) is m.Readiness and ready.models["cars"] == "ready"
assert {x.name for x in models.sync(client=client).models} == {"cars", "steps", "kinds"}
told = model_cars.sync(client=client)
assert type(told) is m.Model and told.version == facts["version"] and told.example.out["prediction"] == one.prediction
assert told.reload.last_error is None and told.golden.rows > 0
assert "properties" in schema_cars.sync(client=client).to_dict()
assert "scored_requests_total" in metrics.sync(client=client)
assert version.sync(client=client).version

# operators, on their listener
operator = admin.Client(base_url=admin_url)
conflict = rollback_cars.sync(client=operator)
assert type(conflict) is operators.Problem and conflict.status == 409, conflict
begun = reload_cars.sync(client=operator, body=operators.ReloadCommand(force=False))
assert type(begun) is operators.ReloadBegun and begun.attempt > 0, begun
print("fine")
