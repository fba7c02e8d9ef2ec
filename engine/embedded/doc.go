// Package embedded answers, inside the process, the part of Elasticsearch's REST interface that this
// program uses, over a store in a local folder or in memory. It exists so that a first try needs no
// server, so that CI can mirror fixtures, and so that tests are fast.
//
// It is not a search engine: nothing is analysed or scored, mappings are not derived from documents,
// and documents are not checked against the mapping. It is not a guess either. What it does not know
// (a route, a parameter, a clause, a setting, a question that needs analysed text) it answers with
// status 501 and the name of the thing. The contract suite in engine/elastictest runs against this
// package and against a real server; a difference found in real life becomes a case there.
//
// The one invariant: a document that is found is whole, is the bytes that were sent, and its _seq_no
// is the number of the operation that wrote it. That holds after a kill at any instant, because each
// bulk request is one atomic batch of the store.
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
