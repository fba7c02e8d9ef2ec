package mssql

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOnlyOneSelectIsAccepted checks that a rule that could write, or has several statements, is refused before it is
// sent, and that no other rule is.
func TestOnlyOneSelectIsAccepted(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"SELECT 1": "",
		"select a from t where b = 'DELETE; x' -- ; DROP":                                           "",
		";WITH x AS (SELECT 1 AS a) SELECT * FROM x":                                                "",
		"WITH a AS (SELECT 1 AS x), b AS (SELECT 2 AS x) SELECT * FROM a UNION ALL SELECT * FROM b": "",
		"SELECT 1 UNION SELECT 2 EXCEPT SELECT 3 INTERSECT SELECT 4":                                "",
		"(SELECT 1) UNION ALL (SELECT 2)":                                                           "",
		"(SELECT 1) UNION SELECT 2":                                                                 "",
		"((SELECT 1))":                                                                              "",
		"/* DELETE /* nested */ */ SELECT [delete], \"update\" FROM [a]]b]":                         "",
		"SELECT 1; -- the end":                                                                      "",
		"SELECT 1 /* never closed ; DELETE FROM t":                                                  "",
		"SELECT a FROM t OPTION (MERGE JOIN)":                                                       "",
		"SELECT a FROM t INNER MERGE JOIN u ON t.a = u.a OPTION (USE HINT ('FORCE_ORDER'))":         "",
		"SELECT a FROM t ORDER BY a OFFSET 5 ROWS FETCH NEXT 5 ROWS ONLY":                           "",
		"SELECT @@VERSION, IIF(1=1, 1, 2), updated, [set], t.deletes FROM t":                        "",
		"SELECT 1 WHERE 1 > ALL (SELECT 2)":                                                         "",
		"SELECT NEXT VALUE FOR dbo.numbers AS n, id FROM t":                                         "contains NEXT VALUE FOR",
		"SELECT next, value FROM t FOR XML AUTO":                                                    "",
		"SELECT a FROM t FOR SYSTEM_TIME ALL":                                                       "",
		"DELETE FROM t":                                                                             "begins with DELETE",
		"EXEC sp_who":                                                                               "begins with EXEC",
		"sp_who":                                                                                    "begins with SP_WHO",
		"[sp_who]":                                                                                  "begins with ''",
		"(DELETE FROM t)":                                                                           "begins with DELETE",
		"SELECT 1; SELECT 2":                                                                        "more than one statement",
		"SELECT 1;;":                                                                                "more than one statement",
		"SELECT 1 SELECT 2":                                                                         "more than one statement",
		"(SELECT 1) SELECT 2":                                                                       "more than one statement",
		"WITH x AS (SELECT 1 AS a) SELECT * FROM x SELECT 2":                                        "more than one statement",
		"SELECT 1 DELETE FROM t":                                                                    "contains DELETE",
		"SELECT * INTO copy FROM t":                                                                 "contains INTO",
		"WITH x AS (SELECT 1 AS a) DELETE FROM x":                                                   "contains DELETE",
		"WITH x AS (SELECT 1 AS a) MERGE t USING x ON 1=1 WHEN MATCHED THEN DELETE":                 "contains MERGE",
		"SELECT 1\nTRUNCATE\tTABLE t":                                                               "contains TRUNCATE",
		"SELECT 1 exec('DROP TABLE t')":                                                             "contains EXEC",
		"SELECT 1 WAITFOR DELAY '1'":                                                                "contains WAITFOR",
		"SELECT 1 COMMIT":                                                                           "contains COMMIT",
		"SELECT * FROM OPENQUERY(o, 'DELETE FROM t')":                                               "contains OPENQUERY",
		"SELECT 1 USE other":                                                                        "contains USE",
		"SELECT 'a''b' UPDATE t SET a = 1":                                                          "contains UPDATE",
		"SELECT [a]]b] UPDATE t SET a = 1":                                                          "contains UPDATE",
		"SELECT /* /* */ */ 1 DROP TABLE t":                                                         "contains DROP",
		"":                                                                                          "is empty",
		" -- nothing":                                                                               "is empty",
	} {
		err := oneSelect(query)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: refused: %v", query, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: got %v, want %s", query, err, want)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	got := slices.Collect(words("sel_1 @p, #t.[x]]y]='a''b'--c\n/*d*/žluť\"q\"\"\""))
	want := []string{"SEL_1", "@P", ",", "#T", ".", "''", "=", "''", "ŽLUŤ", "''"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzOneSelect checks that splitting any text into words ends, and that no text hides a writing statement after it.
func FuzzOneSelect(f *testing.F) {
	for _, seed := range []string{"SELECT 1", "SELECT 'a", "SELECT [a", "/* a", "SELECT \"a\"\"", "-- a\nSELECT", "SELECT \xff 1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		read := 0
		for rest := query; rest != ""; {
			n, word := next(rest)
			if n <= 0 || n > len(rest) {
				t.Fatalf("%q: a word of %d bytes", rest, n)
			}
			read += n
			if word == "" && strings.TrimSpace(rest[:n]) != "" && !strings.HasPrefix(rest, "--") && !strings.HasPrefix(rest, "/*") {
				t.Errorf("%q is left out", rest[:n])
			}
			rest = rest[n:]
		}
		if read != len(query) {
			t.Errorf("%q: %d bytes were read", query, read)
		}
		if oneSelect(query) == nil && oneSelect(query+"\nDELETE FROM t") == nil && slices.Contains(slices.Collect(words(query+"\nDELETE")), "DELETE") {
			t.Errorf("%q: DELETE after it is not seen", query)
		}
	})
}
