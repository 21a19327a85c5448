# SPDX-License-Identifier: Apache-2.0
"""Turns whatever Spark, the JVM or Python throws into one sentence: what failed, why, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scored_export.errors import Refused, Unavailable

CAUSES = 20
TEXT = 300
PYTHON_CALLER = re.compile(r"^An error occurred while calling \S+?\.?\s*$")

#: What of a cause tells that trying again can help, and what to do first.
AGAIN = (
    (
        r"OutOfMemoryError|GC overhead limit",
        "give the driver more memory (spark.driver.memory) and export again",
    ),
    (r"No space left on device|Disk quota exceeded", "make room on the disk and export again"),
    (
        r"java\.net\.\w*(?:Connect|Socket|SocketTimeout|UnknownHost|NoRouteToHost)\w*Exception"
        r"|ConnectTimeoutException|SSLException|SdkClientException|AWSClientIOException|\b50[03] Service",
        "check the network and export again",
    ),
    (
        r"SparkContext was shut down|stopped SparkContext|Py4JNetworkError|Connection re(?:fused|set)"
        r"|Answer from Java side is empty|ConnectionRefusedError",
        "Spark has stopped, mostly for want of memory: raise spark.driver.memory and export again",
    ),
)

HADOOP_AWS = "start Spark with spark.jars.packages=org.apache.hadoop:hadoop-aws:"

#: What of a cause tells what is to be changed.
CURES = (
    (r"S3AFileSystem|s3a\.\w+ not found|com/amazonaws|software/amazon/awssdk", HADOOP_AWS),
    (r'No FileSystem for scheme:? "?s3"?$', "write s3a:// for s3://"),
    (
        r"No FileSystem for scheme|FileSystem not found",
        "export where Spark knows this file system, or copy the folder to a local one",
    ),
    (r"Incomplete HDFS URI", "name the host, as hdfs://HOST/PATH, or set spark.hadoop.fs.defaultFS"),
    (r"ClassNotFound|NoClassDefFound|ModuleNotFound", "put the library that holds it on Spark's class path"),
    (r"AccessDenied|AccessControl|Forbidden|Permission denied", "allow this user to read it"),
    (
        r"PATH_NOT_FOUND|does not exist|FileNotFound|Input path|next on empty iterator|empty collection",
        "check the path, and that the folder was copied whole",
    ),
    (
        r"is not a Parquet file|CANNOT_READ_FILE_FOOTER|Could not read footer|EOFException"
        r"|UNABLE_TO_INFER_SCHEMA|Corrupt",
        "the saved data is damaged: copy it again, or save the model again",
    ),
)


def java_of(error: BaseException) -> Any:
    """Return the Java exception behind what a call into Spark threw, None where there is none."""
    return getattr(error, "java_exception", None) or getattr(error, "_origin", None)


def causes(error: BaseException) -> list[str]:
    """Return the causes of what a call into Spark threw, `Class: message` each, the innermost last."""
    java = java_of(error)
    found: list[str] = []
    try:
        while java is not None and len(found) < CAUSES:
            found.append(str(java.toString()))
            java = java.getCause()
    except Exception as lost:  # the JVM is gone, and its words with it
        return [*found, f"{type(lost).__name__}: {lost}"]
    return found or [_python(error)]


def _python(error: BaseException) -> str:
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _short(cause: str) -> str:
    """Return a cause's first telling line, the packages of its class taken off."""
    lines = [line.strip() for line in cause.split("\n") if line.strip()]
    line = next((li for li in lines if not PYTHON_CALLER.match(li)), "")
    line = re.sub(r"^(?:[a-z_][\w$]*\.)+(?=[A-Z])", "", line.lstrip(": "))
    line = re.sub(r"\s+SQLSTATE: \w+$", "", line).rstrip(" .;,:")
    return line if len(line) <= TEXT else line[: TEXT - 3] + "..."


def said(error: BaseException) -> str:
    """Return in one line why a call into Spark failed: the innermost cause that has words."""
    shorts = [short for short in map(_short, causes(error)) if short]
    worded = [short for short in shorts if re.search(r"[:\s]", short)]
    return (worded or shorts or [type(error).__name__])[-1]


def _hadoop_aws(spark: Any) -> str:
    try:
        version = str(spark.sparkContext._jvm.org.apache.hadoop.util.VersionInfo.getVersion())
    except Exception:
        version = "<Hadoop's version>"
    return HADOOP_AWS + version


def refusal(error: BaseException, doing: str, *, spark: Any = None, cure: str = "") -> Refused:
    """Return the refusal for what a call into Spark threw.

    Parameters
    ----------
    doing : str
        What could not be done, as the beginning of a sentence.
    cure : str
        What to do where the error itself does not tell.
    """
    everything = "\n".join(causes(error))
    reason = f"{doing}: {said(error)}"
    for pattern, what in AGAIN:
        if re.search(pattern, everything):
            return Unavailable(reason, what)
    for pattern, what in CURES:
        if re.search(pattern, everything, re.MULTILINE):
            return Refused(reason, _hadoop_aws(spark) if what == HADOOP_AWS else what)
    return Refused(reason, cure)


@contextmanager
def spark_says(doing: str, *, spark: Any = None, cure: str = "") -> Iterator[None]:
    """Let nothing but a refusal leave the block."""
    try:
        yield
    except Refused:
        raise
    except Exception as error:
        raise refusal(error, doing, spark=spark, cure=cure) from error


def _of_spark(error: BaseException) -> bool:
    return type(error).__module__.split(".")[0] in ("py4j", "pyspark")


def _place(error: BaseException) -> str:
    """Return where in this package an error arose."""
    here = Path(__file__).resolve().parent
    trace, found = error.__traceback__, ""
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        if here in path.resolve().parents:
            found = f"{path.name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


def unexpected(error: Exception) -> Refused:
    """Return the refusal for an error that no other place has explained."""
    if _of_spark(error):
        return refusal(error, "Spark cannot do this")
    if isinstance(error, (MemoryError, ConnectionError, TimeoutError)):
        return Unavailable(_python(error), "export again where there is memory and a network")
    if isinstance(error, OSError):
        return Refused(str(error), "check the path, its rights and the room on its disk")
    where = _place(error)
    return Refused(f"{_python(error)} at {where}", "this is a defect of scored_export: report this line")
