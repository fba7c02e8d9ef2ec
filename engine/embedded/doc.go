// Package embedded answers, inside the process, the part of Elasticsearch's REST interface that this
// program uses, over a store in a local folder or in memory. It exists so that a first try needs no
// server, so that CI can mirror fixtures, and so that tests are fast.
//
// It is not a search engine: nothing is analyzed or scored. It is not a guess either. What it does not
// know (a route, a parameter, a clause, a setting, a question that needs analyzed text) it answers with
// status 501 and the name of the thing. The contract suite in engine/elastictest runs against this
// package and against a real server; a difference found in real life becomes a case there.
//
// The one invariant: a document that is found is whole, is the bytes that were sent, and its _seq_no
// is the number of the operation that wrote it. That holds after a kill at any instant, because each
// bulk request is one atomic batch of the store.
//
// # Fields
//
// An index whose mapping has date_detection off is checked: its documents add their new fields to the
// mapping, a value that its field cannot take is refused or, with ignore_malformed, left out of the index
// and named in _ignored, and the limits of fields and levels hold. So does every index that
// elastic-ingest creates. The values of these types are judged as Elasticsearch 9.5 judges them: text,
// keyword, long, integer, unsigned_long, double, float, boolean, date in its default format, ip, binary,
// flattened, object, nested. Fields of any other type are kept and take anything. There are no vectors:
// where Elasticsearch would make one by itself, and where a date names a time zone other than UTC, the
// document is answered with 501.
//
// Any other index, and every index of a folder that an earlier version made, keeps the mapping that it
// was given: documents add nothing to it and are not checked against it. A search of a field that is not
// in it is answered where no guess is needed.
//
// # What is visible when
//
// GET of a document sees every answered write. Search, count and points in time see the state of the
// last refresh: a snapshot of the whole store that _refresh and refresh=true replace. A refresh of one
// index therefore refreshes all; Elasticsearch may refresh at any moment by itself, so no client can
// rely on the opposite. Nothing is refreshed by time here, so a forgotten refresh shows in tests.
//
// # What is durable when
//
// The log is forced to disk at a refresh, when an index or a mapping changes, and at Close. A kill -9
// of the process loses at most what this process had answered since and the system had not taken yet;
// it never damages the store. The next sync finds what is missing and writes it again.
//
// # Order and slices
//
// An index has one shard here whatever its settings say. Documents come in the order in which they
// were written last; that position is the _seq_no, and it is the value of _shard_doc. A slice of a
// point in time is a contiguous range of it.
package embedded
