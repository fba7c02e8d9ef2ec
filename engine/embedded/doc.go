// Package embedded answers, inside the process, the part of Elasticsearch's REST interface that this
// program uses, over a store in a local folder or in memory. It exists so that a first try needs no
// server, so that CI can mirror fixtures, and so that tests are fast.
//
// It is not a search engine: nothing is analyzed or scored. It never guesses either. Anything that it does
// not support (a route, a parameter, a clause, a setting, a query that needs analyzed text) is answered with
// status 501 and its name. The contract suite in engine/elastictest runs against this
// package and against a real server; a difference found in real life becomes a case there.
//
// The invariant: a document that is found is complete, consists of the bytes that were sent, and its _seq_no
// is the number of the operation that wrote it. That holds after a kill at any instant, because each
// bulk request is one atomic batch of the store.
//
// # Fields
//
// An index whose mapping has date_detection off, as every index that elastic-ingest creates, is checked. Its
// documents add their new fields to the mapping. A value that does not fit its field is rejected or, with
// ignore_malformed, not indexed and listed in _ignored, and the limits of fields and levels apply. The values
// of these types are checked as Elasticsearch 9.5 does it: text,
// keyword, long, integer, unsigned_long, double, float, boolean, date in its default format, ip, binary,
// flattened, object, nested. Fields of any other type are stored and accept anything. There are no vectors:
// where Elasticsearch would create one automatically, and where a date names a time zone other than UTC, the
// document is answered with 501.
//
// Any other index, and every index of a folder that an earlier version created, keeps its given
// mapping: documents add nothing to it and are not checked against it. A search of a field that is not
// in it is answered if no guess is needed.
//
// # What is visible when
//
// GET of a document sees every acknowledged write. Search, count and points in time see the state of the
// last refresh: a snapshot of the complete store that _refresh and refresh=true replace. A refresh of one
// index therefore refreshes all; Elasticsearch may refresh at any moment, so no client can
// rely on the opposite. Nothing is refreshed by time here, so a missing refresh shows in tests.
//
// # What is durable when
//
// The log is synced to disk at a refresh, when an index or a mapping changes, and at Close. A kill -9
// of the process loses at most the acknowledged writes since then that the system had not received;
// it never damages the store. The next sync finds what is missing and writes it again.
//
// # Order and slices
//
// An index has one shard here whatever its settings. Documents are in the order of their last
// write; that position is the _seq_no, and the value of _shard_doc. A slice of a
// point in time is a contiguous range of it.
package embedded
