// Package objects is what object stores share as sources: a bucket is a scope, read as one part or as
// several ranges of its keys, and each object is a document whose content is opened on condition of
// the version that was listed.
//
// A store implements how a page is listed and an object opened ([Store]); this package decides which keys a part has,
// in which order pages follow, and when a listing is retried or given up. It is not an abstraction over the stores'
// libraries: credentials, fields and ids are the store's own.
//
// Its invariant: a part ends without error only if every key of its range was listed, each once.
package objects

import (
	"context"
	"errors"
	"io"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
)

// Store is one object store. Its methods are called concurrently. Their errors may be the library's own: Failure
// interprets them.
type Store interface {
	// Buckets lists one page of the names of all buckets. next is the token of the page after it, "" at
	// the end.
	Buckets(ctx context.Context, token string) (names []string, next string, err error)
	// List lists one page of a bucket.
	List(context.Context, Query) (Page, error)
	// Seeks reports whether a listing of the bucket is in the order of the bytes of its keys and can
	// start after any key.
	Seeks(bucket string) bool
	// Open starts reading an object at an offset, on condition that it is still the listed one: ErrGone and ErrReplaced
	// say that it is not. The caller closes the reader.
	Open(ctx context.Context, bucket string, o Object, offset int64) (io.ReadCloser, error)
	// Failure says what kind an error is, and what to do. It contains neither a part nor a secret.
	Failure(err error) *source.Error
	// Close releases everything.
	Close() error
}

// Query is one page of a listing.
type Query struct {
	Bucket string
	Prefix string // only keys with this prefix
	After  string // where the listing starts: keys up to it are skipped; the key itself may be listed again
	Token  string // of the page before; then After is what it was for that page
	Most   int    // objects to ask for; 0 is the page size of the store
}

// Page is one page of a listing, in the order of the store.
type Page struct {
	Objects []Object
	Next    string // the token of the next page; "" at the end
}

// Object is one object as it was listed.
type Object struct {
	Key      string // its bytes, valid UTF-8 or not
	Size     int64
	Version  string // differs for each content of the key, such as an ETag; "" where the store has none
	Readable bool   // whether there is content to open: not for folders and archived objects
	// Document makes the document without its content.
	Document func() document.Document
}

// Why content cannot be opened as it was listed.
var (
	// ErrGone says that the object no longer exists, or has no content that can be read online.
	ErrGone = errors.New("the object is gone")
	// ErrReplaced says that the key now has another object.
	ErrReplaced = errors.New("the object was replaced since it was listed; the next run reads it")
)
