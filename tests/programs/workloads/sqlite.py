# SPDX-License-Identifier: Apache-2.0
"""sqlite3: fills, indexes, joins, updates and checks a database on disk."""

import harness

from .workload import Workload

_SQL = """\
PRAGMA cache_size = -64000;
CREATE TABLE account(id INTEGER PRIMARY KEY, owner TEXT, balance INTEGER);
CREATE TABLE entry(id INTEGER PRIMARY KEY, account INTEGER REFERENCES account, amount INTEGER,
                   note TEXT);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
  INSERT INTO account SELECT i, printf('owner %08x', (i * 2654435761) % 4294967296), 0 FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
  INSERT INTO entry SELECT i, 1 + (i * 7919) % 20000, (i * 104729) % 2001 - 1000,
                           hex(i * 2654435761) FROM n;
COMMIT;
CREATE INDEX entry_account ON entry(account, amount);
CREATE INDEX entry_note ON entry(note);
UPDATE account SET balance = (SELECT sum(amount) FROM entry WHERE entry.account = account.id);
DELETE FROM entry WHERE amount = 0;
VACUUM;
SELECT count(*), sum(amount), group_concat(DISTINCT length(note)) FROM entry;
SELECT sum(balance) - (SELECT sum(amount) FROM entry) FROM account;
SELECT owner, balance, rank() OVER (ORDER BY balance DESC) FROM account
  ORDER BY balance DESC, owner LIMIT 2000;
SELECT a.owner, count(*), max(e.note) FROM account a JOIN entry e ON e.account = a.id
  GROUP BY a.owner ORDER BY 2 DESC, 1 LIMIT 2000;
PRAGMA integrity_check;
"""


class Sqlite(Workload):
    name = "sqlite3"
    work = "220,000 rows, 2 indexes, joins, windows, VACUUM, integrity_check"
    programs = ("/usr/bin/sqlite3",)
    fast = True

    def run(self, session, inputs):
        output = session.run(["/usr/bin/sqlite3", "-bail", "accounts.db"], stdin=_SQL)
        lines = output.splitlines()
        if lines[-1] != "ok" or lines[1] != "0":
            raise harness.HarnessError(f"sqlite3 : {lines[1]} missing, {lines[-1]}")
        return output
