// Package logs writes to stderr: the log in its three formats, and the messages of the program.
//
// Results are written elsewhere, to stdout. Other packages decide what an error means for the run; this one
// turns it into a message with its hint.
package logs

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/elastic-ingest/elastic-ingest/commands/internal/program"
	"github.com/elastic-ingest/elastic-ingest/engine/report"
)

// The values of --log-format.
const (
	Text = "text"
	JSON = "json"
	ECS  = "ecs" // the Elastic Common Schema
)

// critical is the level above ERROR, for errors that end the program.
const critical = slog.Level(12)

// Level is the level of a --log-level value.
func Level(name string) (slog.Level, bool) {
	switch name {
	case "DEBUG":
		return slog.LevelDebug, true
	case "INFO":
		return slog.LevelInfo, true
	case "WARNING":
		return slog.LevelWarn, true
	case "ERROR":
		return slog.LevelError, true
	case "CRITICAL":
		return critical, true
	}
	return 0, false
}

// New creates the program's log.
func New(w io.Writer, format string, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.LevelKey {
			a.Value = slog.StringValue(levelName(a.Value.Any()))
		}
		return a
	}}
	switch format {
	case ECS:
		return slog.New(&ecsHandler{w: w, level: level, mu: &sync.Mutex{}})
	case JSON:
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// levelName is the --log-level value of a level.
func levelName(v any) string {
	level, ok := v.(slog.Level)
	switch {
	case !ok:
		return fmt.Sprint(v)
	case level >= critical:
		return "CRITICAL"
	case level >= slog.LevelError:
		return "ERROR"
	case level >= slog.LevelWarn:
		return "WARNING"
	case level >= slog.LevelInfo:
		return "INFO"
	}
	return "DEBUG"
}

// ecsHandler writes one object of the Elastic Common Schema per line, which Filebeat reads unchanged; see
// https://www.elastic.co/docs/reference/ecs/logging/intro.
type ecsHandler struct {
	w     io.Writer
	level slog.Level
	mu    *sync.Mutex
	attrs []slog.Attr // their keys include their groups
	group string
}

var _ slog.Handler = (*ecsHandler)(nil)

// Enabled implements [slog.Handler].
func (h *ecsHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

// WithAttrs implements [slog.Handler].
func (h *ecsHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	n := *h
	n.attrs = slices.Clone(h.attrs)
	for _, a := range attrs {
		n.attrs = append(n.attrs, slog.Attr{Key: h.group + a.Key, Value: a.Value})
	}
	return &n
}

// WithGroup implements [slog.Handler].
func (h *ecsHandler) WithGroup(name string) slog.Handler {
	n := *h
	if name != "" {
		n.group += name + "."
	}
	return &n
}

// ecsRecord is a record with its keys in the order of Elastic's ECS loggers.
type ecsRecord struct {
	Timestamp string            `json:"@timestamp"`
	Level     string            `json:"log.level"`
	Message   string            `json:"message"`
	ECS       ecsVersion        `json:"ecs"`
	Log       ecsLog            `json:"log"`
	Process   ecsProcess        `json:"process"`
	Service   ecsService        `json:"service"`
	Labels    map[string]string `json:"labels"`
	Error     *ecsError         `json:"error,omitempty"`
}

type ecsVersion struct {
	Version string `json:"version"`
}

type ecsLog struct {
	Logger   string    `json:"logger"`
	Origin   ecsOrigin `json:"origin"`
	Original string    `json:"original"`
}

type ecsOrigin struct {
	File struct {
		Line int    `json:"line"`
		Name string `json:"name"`
	} `json:"file"`
	Function string `json:"function"`
}

type ecsProcess struct {
	Name   string    `json:"name"`
	PID    int       `json:"pid"`
	Thread ecsThread `json:"thread"`
}

// ecsThread is the same in every record: goroutines have neither numbers nor names, but programs that read
// these logs may expect the keys.
type ecsThread struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

type ecsService struct {
	Type    string `json:"type"`
	Version string `json:"version"`
}

type ecsError struct {
	Message    string `json:"message"`
	Type       string `json:"type,omitempty"`
	StackTrace string `json:"stack_trace,omitempty"`
}

// stackKey is the attribute for the stack of a crash.
const stackKey = "stack"

// Handle implements [slog.Handler].
func (h *ecsHandler) Handle(_ context.Context, r slog.Record) error {
	out := ecsRecord{
		Timestamp: r.Time.UTC().Format("2006-01-02T15:04:05.000Z"), Level: strings.ToLower(levelName(r.Level)), Message: r.Message,
		ECS: ecsVersion{"1.6.0"}, Log: ecsLog{Logger: program.Name, Original: r.Message},
		Process: ecsProcess{Name: filepath.Base(os.Args[0]), PID: os.Getpid(), Thread: ecsThread{0, "main"}},
		Service: ecsService{program.Name, program.This().Version},
		Labels:  map[string]string{"index_date": r.Time.UTC().Format("2006.01.02")},
	}
	if r.PC != 0 {
		frame, _ := runtime.CallersFrames([]uintptr{r.PC}).Next()
		out.Log.Origin.Function = frame.Function[strings.LastIndexByte(frame.Function, '/')+1:]
		out.Log.Origin.File.Name, out.Log.Origin.File.Line = filepath.Base(frame.File), frame.Line
	}
	for _, a := range h.attrs {
		out.add("", a)
	}
	r.Attrs(func(a slog.Attr) bool {
		out.add(h.group, a)
		return true
	})
	line, err := json.Marshal(out)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err = h.w.Write(append(line, '\n'))
	return err
}

// add puts an attribute into its ECS field if there is one, otherwise into the labels, which are text.
func (r *ecsRecord) add(group string, a slog.Attr) {
	value := a.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		if a.Key != "" {
			group += a.Key + "."
		}
		for _, member := range value.Group() {
			r.add(group, member)
		}
		return
	}
	text := value.String()
	switch value.Kind() {
	case slog.KindDuration:
		text = strconv.FormatFloat(value.Duration().Seconds(), 'f', -1, 64)
	case slog.KindTime:
		text = value.Time().UTC().Format(time.RFC3339Nano)
	}
	switch key := group + a.Key; key {
	case "":
	case report.Err:
		r.failure().Message = text
		if err, ok := value.Any().(error); ok {
			r.failure().Type = fmt.Sprintf("%T", err)
		}
	case stackKey:
		r.failure().StackTrace = text
	case report.Index:
		r.Labels["index_name"] = text
	case report.Source:
		r.Labels["service_type"] = text
	default:
		r.Labels[strings.ReplaceAll(key, ".", "_")] = text
	}
}

func (r *ecsRecord) failure() *ecsError {
	if r.Error == nil {
		r.Error = &ecsError{}
	}
	return r.Error
}
