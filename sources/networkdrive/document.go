package networkdrive

import (
	"context"
	"crypto/md5" //nolint:gosec // not for security: the form of ids
	"encoding/hex"
	"io"
	"strings"
	"time"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/files"
)

// The fields of documents besides pathField.
const (
	titleField   = "title"
	typeField    = "type"
	sizeField    = "size"
	createdField = "created_at"
)

// Attributes of files, see [MS-FSCC] 2.6.
const (
	attributeHidden    = 0x2
	attributeSystem    = 0x4
	attributeDirectory = 0x10
	attributeReparse   = 0x400
	attributeOffline   = 0x1000
	attributeRecall    = 0x400000 // reading it makes the server recall the content
)

// document makes the document of a file or a folder.
func (d *drive) document(tree *share, path string, e *entry) document.Document {
	sum := md5.Sum([]byte(strings.ToLower(d.name) + "/" + path)) //nolint:gosec // see the import
	kind := "file"
	if e.stat.FileAttributes&attributeDirectory != 0 {
		kind = "folder"
	}
	doc := document.Document{
		ID:        hex.EncodeToString(sum[:]),
		Timestamp: timeText(e.stat.ChangeTime),
		Fields: []document.Field{
			{Name: pathField, Value: document.String(d.shown(path))},
			{Name: titleField, Value: document.String(e.Name())},
			{Name: typeField, Value: document.String(kind)},
			{Name: sizeField, Value: document.Int(e.stat.EndOfFile)},
			{Name: createdField, Value: document.String(timeText(e.stat.CreationTime))},
		},
	}
	offline := e.stat.FileAttributes&(attributeOffline|attributeRecall) != 0
	if kind == "folder" || e.link || (offline && !d.recall) {
		return doc
	}
	doc.Content = &document.Content{
		Name: contentName(e.Name()), Size: e.stat.EndOfFile,
		Open: func(ctx context.Context) (io.ReadCloser, error) {
			f, err := tree.Open(ctx, path)
			if err != nil {
				return nil, err
			}
			return files.Content(f, e), nil
		},
	}
	return doc
}

// shown is a path as Elastic's connectors write it: slashes in what is configured, backslashes below it.
func (d *drive) shown(path string) string {
	for _, root := range d.roots {
		if below, ok := strings.CutPrefix(path, root+"/"); ok {
			return pathPrefix(d.name) + root + `\` + strings.ReplaceAll(below, "/", `\`)
		}
	}
	return pathPrefix(d.name) + path
}

// contentName is the name from which the format of a file is detected. A space or a dot at the end of a name, which
// Windows does not allow, is sent as one of two private-use characters.
func contentName(name string) string { return strings.TrimRight(name, "\uf028\uf029") }

// timeText writes a time as Elastic's connectors do.
func timeText(t time.Time) string { return files.Time(trueTime(t), "") }

// The client counts nanoseconds since 1970 in 64 bits, which reaches from 1677 to 2262; a time outside of this range
// wraps around to one within, 584 years away.
const (
	wrapSeconds, wrapNanos = 18446744073, 709551616 // 2^64 nanoseconds
	// wrappedZero is how the start of the server's calendar, 1 January 1601, arrives. It also stands for a time that
	// is not set. The last instant of that calendar arrives as a time just before it.
	wrappedZero = 6802270473709551616
)

// trueTime undoes that for times before 1677, since they are more likely than those after 2185.
func trueTime(t time.Time) time.Time {
	switch ns := t.UnixNano(); {
	case ns == wrappedZero-100:
		return time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) // displayed as the last instant of 9999
	case ns >= wrappedZero:
		return time.Unix(t.Unix()-wrapSeconds, int64(t.Nanosecond())-wrapNanos)
	}
	return t
}

// alike reports whether two folders may be the same one: a link to a folder above it has its times.
func alike(a, b fileInfo) bool {
	x, y := a.Sys().(*entry).target(), b.Sys().(*entry).target()
	return x.LastWriteTime.Equal(y.LastWriteTime) && x.ChangeTime.Equal(y.ChangeTime)
}
