"""The SQL that the log is written with."""

from collections.abc import Sequence
from datetime import datetime

from gateway.operations.evidence.chain import FIELDS, Call, Head

# One round trip: move the head if it is still where this writer saw it, and only then write the records and count them.
WRITE = """
    WITH moved AS (
        UPDATE transaction_head SET number = $1, hash = $2, stored_at = $3 WHERE number = $4 AND hash = $5 RETURNING 1
    ), counted AS (
        INSERT INTO transaction_day AS d (day, service, client_id, calls, refused, failed, request_bytes,
                                          response_bytes, duration_us)
        SELECT CAST($3 AT TIME ZONE 'Asia/Ho_Chi_Minh' AS date), service, client_id, count(*),
               count(*) FILTER (WHERE status BETWEEN 400 AND 499),
               count(*) FILTER (WHERE status >= 500 OR status < 100),
               sum(request_bytes), sum(response_bytes), sum(duration_us)
        FROM unnest($8::text[], $10::text[], $13::smallint[], $14::bigint[], $15::bigint[], $16::bigint[])
             AS t(client_id, service, status, duration_us, request_bytes, response_bytes)
        WHERE EXISTS (SELECT FROM moved) GROUP BY service, client_id ORDER BY service, client_id
        ON CONFLICT (day, service, client_id) DO UPDATE SET
            calls = d.calls + excluded.calls, refused = d.refused + excluded.refused,
            failed = d.failed + excluded.failed, request_bytes = d.request_bytes + excluded.request_bytes,
            response_bytes = d.response_bytes + excluded.response_bytes,
            duration_us = d.duration_us + excluded.duration_us
    ), causes AS (
        INSERT INTO transaction_cause AS c (day, service, client_id, status, calls)
        SELECT CAST($3 AT TIME ZONE 'Asia/Ho_Chi_Minh' AS date), service, client_id, status, count(*)
        FROM unnest($8::text[], $10::text[], $13::smallint[]) AS t(client_id, service, status)
        WHERE status NOT BETWEEN 100 AND 399 AND EXISTS (SELECT FROM moved)
        GROUP BY service, client_id, status ORDER BY service, client_id, status
        ON CONFLICT (day, service, client_id, status) DO UPDATE SET calls = c.calls + excluded.calls
    )
    INSERT INTO transaction_log (number, stored_at, at, client_id, agency, service, method, path, status, duration_us,
                                 request_bytes, response_bytes, trace_id, dossier_code, request_sha256,
                                 response_sha256, hash, signature)
    SELECT number, $3, t.at, client_id, agency, service, method, path, status, duration_us, request_bytes,
           response_bytes, trace_id, dossier_code, request_sha256, response_sha256, digest,
           CASE WHEN number = $1 THEN $6::bytea END
    FROM unnest($7::timestamptz[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::smallint[],
                $14::bigint[], $15::bigint[], $16::bigint[], $17::uuid[], $18::text[], $19::bytea[], $20::bytea[],
                $21::bigint[], $22::bytea[])
         AS t(at, client_id, agency, service, method, path, status, duration_us, request_bytes, response_bytes,
              trace_id, dossier_code, request_sha256, response_sha256, number, digest)
    WHERE EXISTS (SELECT FROM moved)
"""
HEAD = "SELECT number, hash, stored_at FROM transaction_head"
BEGIN = "INSERT INTO transaction_head (number, hash, stored_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
LANDED = "SELECT hash FROM transaction_log WHERE number = $1 AND stored_at = $2"
# Rolled back: what the log needs to take a record (rights, room, its part of today, the head) is all tried.
PROBE = """
    WITH held AS (UPDATE transaction_head SET number = number RETURNING 1)
    INSERT INTO transaction_log (number, stored_at, at, duration_us, request_bytes, response_bytes, status, client_id,
                                 service, method, path, hash)
    VALUES (0, $1, $1, 0, 0, 0, 0, '', '', '', '', '')
"""


def arguments(
    head: Head, links: Sequence[tuple[int, bytes]], now: datetime, calls: Sequence[Call], signature: bytes
) -> list[object]:
    """Return the values of WRITE for calls that follow a head."""
    number, digest = links[-1]
    columns = [[getattr(call, name) for call in calls] for name in FIELDS]
    columns[_TRACE] = [trace or None for trace in columns[_TRACE]]
    return [
        *(number, digest, now, head.number, head.hash, signature),
        *columns,
        *([link[place] for link in links] for place in (0, 1)),
    ]


_TRACE = FIELDS.index("trace_id")
