package gcs

import (
	"cmp"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"

	"github.com/elastic-ingest/elastic-ingest/engine/document"
	"github.com/elastic-ingest/elastic-ingest/engine/source"
	"github.com/elastic-ingest/elastic-ingest/sources/internal/objects"
)

// document makes the document of an object. Its id contains the generation, so an overwritten object is a new document,
// and the old one is deleted.
func (st *store) document(o *storage.ObjectAttrs) document.Document {
	generation := strconv.FormatInt(o.Generation, 10)
	updated := moment(o.Updated)
	components := document.Null()
	if o.ComponentCount > 0 {
		components = document.Int(o.ComponentCount)
	}
	return document.Document{
		ID: o.Bucket + "/" + o.Name + "/" + generation, Timestamp: updated,
		Fields: []document.Field{
			{Name: componentsField, Value: components},
			{Name: encodingField, Value: objects.TextOrNull(o.ContentEncoding)},
			{Name: languageField, Value: objects.TextOrNull(o.ContentLanguage)},
			{Name: createdField, Value: document.String(moment(o.Created))},
			{Name: updatedField, Value: document.String(updated)},
			{Name: metadataField, Value: metadata(o.Metadata)},
			{Name: nameField, Value: document.String(o.Name)},
			{Name: sizeField, Value: document.String(strconv.FormatInt(o.Size, 10))},
			{Name: classField, Value: document.String(o.StorageClass)},
			{Name: typeField, Value: objects.TextOrNull(o.ContentType)},
			{Name: versionField, Value: document.String(generation)},
			{Name: bucketField, Value: document.String(o.Bucket)},
			{Name: urlField, Value: document.String(st.console(o.Bucket, o.Name))},
		},
	}
}

// moment is a time as the API writes it.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func metadata(m map[string]string) document.Value {
	if len(m) == 0 {
		return document.Null()
	}
	fields := make([]document.Field, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		fields = append(fields, document.Field{Name: key, Value: document.String(m[key])})
	}
	return document.Object(fields)
}

// consoleEscapes are what the console's addresses escape differently from a query.
var consoleEscapes = strings.NewReplacer("+", "%20", "%27", "'")

// console is the address of an object in the console. All but letters, digits and _.-~' is escaped in its name.
func (st *store) console(bucket, name string) string {
	quoted := consoleEscapes.Replace(url.QueryEscape(name))
	return "https://console.cloud.google.com/storage/browser/_details/" + bucket + "/" + quoted + ";tab=live_object?project=" + st.project
}

const hintRights = "grant the account the role Storage Object Viewer on the bucket"

// Failure interprets an error of the library.
func (st *store) Failure(err error) *source.Error {
	if failure, ok := errors.AsType[*source.Error](err); ok {
		return &source.Error{Kind: failure.Kind, Err: failure.Err, Hint: failure.Hint}
	}
	if errors.Is(err, errToken) {
		return tokenFailure(err)
	}
	answer, ok := errors.AsType[*googleapi.Error](err)
	switch {
	case ok:
	case errors.Is(err, storage.ErrBucketNotExist):
		answer = &googleapi.Error{Code: 404, Message: "The specified bucket does not exist."}
	default:
		return objects.Unanswered(err)
	}
	reason := ""
	if len(answer.Errors) > 0 {
		reason = answer.Errors[0].Reason
	}
	failure := objects.Answered(answer.Code, reason, cmp.Or(answer.Message, answer.Body))
	switch {
	case asksForProject(err):
		failure.Kind, failure.Hint = source.ErrConfig, "set project_id: to the project that pays"
	case errors.Is(failure, source.ErrAuth):
		failure.Hint = hintRights
	case answer.Code == 404:
		failure.Hint = "correct the name, or remove the bucket from the list"
	}
	return failure
}

// tokenFailure distinguishes a refused account from a token service that is not available yet, as in a container that
// has just started.
func tokenFailure(err error) *source.Error {
	answer, ok := errors.AsType[*auth.Error](err)
	if ok && answer.Response != nil && !errors.Is(objects.KindOf(answer.Response.StatusCode), source.ErrTemporary) {
		return &source.Error{
			Kind: source.ErrAuth, Err: errors.New("the account was refused: Google issued no token for it"),
			Hint: "correct service_account_credentials: the key may have been deleted, or the clock of this machine may be wrong",
		}
	}
	failure := objects.Unanswered(err)
	failure.Kind = source.ErrTemporary
	return failure
}

// asksForProject reports whether a bucket requires a project that pays.
func asksForProject(err error) bool {
	answer, ok := errors.AsType[*googleapi.Error](err)
	return ok && answer.Code == 400 && (strings.Contains(answer.Message, "requester pays") || strings.Contains(answer.Body, "UserProjectMissing"))
}
