package dir

import (
	"crypto/md5" //nolint:gosec // not for security: Elastic's connector makes the ids of files with it
	"encoding/hex"
	"io/fs"
	"path/filepath"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/files"
)

// file makes the document of a file. It omits what changes although the file does not: the times of access and
// inode change, the inode and device numbers, and the link count.
func (d *directory) file(tree *local, path string, info fs.FileInfo) document.Document {
	full := path
	if !d.relative {
		full = d.absolute(path)
	}
	sum := md5.Sum([]byte(full)) //nolint:gosec // see the import
	modified := files.Time(info.ModTime(), "+00:00")
	fields := []document.Field{
		{Name: pathField, Value: document.String(full)},
		{Name: modifiedField, Value: document.String(modified)},
	}
	fields = appendOwner(fields, info)
	fields = append(fields, document.Field{Name: sizeField, Value: document.Int(info.Size())})
	return document.Document{
		ID:        hex.EncodeToString(sum[:]),
		Timestamp: modified,
		Fields:    fields,
		Content:   &document.Content{Name: filepath.Base(path), Size: info.Size(), Open: tree.opener(path)},
	}
}
