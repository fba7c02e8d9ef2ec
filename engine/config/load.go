package config

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
)

// Load reads a configuration file and the environment. All errors are
// reported together, as [Errors].
//
// Files and commands with secrets of the destination are read and run
// here; those of a connector's configuration in ResolveConfiguration.
func Load(ctx context.Context, file string, env Env) (*Config, error) {
	return loadFrom(ctx, file, env, func(full string) ([]byte, error) { return readFile(full, maxFile) })
}

// LoadText loads text as if it were the content of a file that need not exist.
func LoadText(ctx context.Context, file, text string, env Env) (*Config, error) {
	return loadFrom(ctx, file, env, func(string) ([]byte, error) { return []byte(text), nil })
}

func loadFrom(ctx context.Context, file string, env Env, content func(full string) ([]byte, error)) (*Config, error) {
	l := &loader{origin: &origin{file: file, env: env}, config: defaults()}
	l.run = func(argv []string) (string, error) { return l.command(ctx, argv) }
	full, err := filepath.Abs(file)
	if err != nil {
		return nil, l.whole("find the folder of the file: "+err.Error(), "")
	}
	l.config.File, l.config.Dir = full, filepath.Dir(full)
	l.dir = l.config.Dir
	root, bad := l.read(full, content)
	if bad != nil {
		return nil, Errors{bad}
	}
	l.root(l.object("", root))
	if len(l.errs) > 0 {
		return nil, l.errs.sorted()
	}
	l.config.Warnings, l.config.Origins = l.warnings, l.origins
	return l.config, nil
}

// A loader collects the configuration and its errors during one call of
// Load.
type loader struct {
	*origin
	run      func(argv []string) (string, error) // runs a command that prints a secret
	config   *Config
	dotenv   map[string]string
	errs     Errors
	warnings []string
	origins  []Origin
}

// read parses the file and adds what the environment sets.
func (l *loader) read(full string, content func(full string) ([]byte, error)) (*node, *Error) {
	data, err := content(full)
	if err != nil {
		return nil, l.unreadable(err)
	}
	root, bad := parseFile(full, l.file, data)
	if bad != nil {
		return nil, bad
	}
	if bad := l.readDotenv(); bad != nil {
		return nil, bad
	}
	overriding, bad := l.overridingFile()
	if bad != nil {
		return nil, bad
	}
	root.entries = slices.Concat(root.entries, overriding, l.overrides())
	l.warnOfVariables()
	if len(root.entries) == 0 {
		return nil, &Error{File: l.file, Problem: "holds no keys", Hint: "at least elasticsearch.host is required"}
	}
	return root, nil
}

// parseFile parses a file, which must be a section of keys; shown is its name
// in errors.
func parseFile(file, shown string, data []byte) (*node, *Error) {
	root, bad := parse(file, data)
	switch {
	case bad != nil:
		return nil, &Error{File: shown, Line: bad.line, Column: bad.column, Key: bad.key, Problem: bad.problem, Hint: bad.hint}
	case root.kind != section:
		return nil, &Error{File: shown, Line: max(1, root.at.line), Problem: "must be a section of keys, not " + root.kind.String()}
	}
	return root, nil
}

func (l *loader) unreadable(err error) *Error {
	e := &Error{File: l.file, Problem: reason(err)}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Hint = "create it, or name another with -c FILE"
	case errors.Is(err, fs.ErrPermission):
		e.Hint = "check its owner and mode"
	}
	return e
}

func (l *loader) whole(problem, hint string) error {
	return Errors{{File: l.file, Problem: problem, Hint: hint}}
}

func (l *loader) fail(at place, key, problem, hint string) {
	l.errs = append(l.errs, l.failure(at, key, problem, hint))
}

// missing is the problem of a required key.
const missing = "is missing"

// forgive withdraws the error that a key is missing, once it turns out to be misspelled:
// one mistake is one error.
func (l *loader) forgive(key string) {
	l.errs = slices.DeleteFunc(l.errs, func(e *Error) bool { return e.Key == key && e.Problem == missing })
}

func (o *origin) failure(at place, key, problem, hint string) *Error {
	e := &Error{File: o.file, Line: at.line, Column: at.column, Variable: at.variable, Key: key, Problem: problem, Hint: hint}
	if at.override != "" {
		e.File = at.override
	}
	if at.fromEnvironment() {
		e.Line, e.Column = 0, 0
	}
	return e
}

func (l *loader) warn(at place, key, text string) {
	l.warnings = append(l.warnings, l.where(at)+": "+key+": "+text)
}

// where is a place in messages.
func (o *origin) where(at place) string {
	switch {
	case at.fromEnvironment():
		return "environment variable " + at.variable
	case at.override != "":
		return at.override + ":" + strconv.Itoa(at.line)
	case at.line == 0:
		return o.file
	}
	return o.file + ":" + strconv.Itoa(at.line)
}

// root reads the complete file.
func (l *loader) root(o *object) {
	c := l.config
	l.elasticsearch(o.section("elasticsearch"))
	l.service(o.section("service"))
	l.engine(o.section("engine"))
	l.extraction(o.section("extraction_service"))
	o.words("native_service_types", &c.NativeServiceTypes)
	l.sources(o.section("sources"))
	l.connectors(o)
	o.ignore("_force_allow_native")
	o.done()
}

const fipsHint = "has no effect here; run the program with GODEBUG=fips140=on"

func (l *loader) service(o *object) {
	s := &l.config.Service
	o.logLevel("log_level", &s.LogLevel)
	o.duration("idling", &s.Idling, 1)
	o.duration("heartbeat", &s.Heartbeat, 1)
	o.integer("preflight_max_attempts", &s.PreflightMaxAttempts, 1, 1_000_000)
	o.duration("preflight_idle", &s.PreflightIdle, 0)
	o.integer("max_errors", &s.MaxErrors, 0, 1_000_000)
	o.duration("max_errors_span", &s.MaxErrorsSpan, 0)
	o.integer("max_concurrent_syncs", &s.MaxConcurrentSyncs, 1, 1000) // the older name
	o.integer("max_concurrent_content_syncs", &s.MaxConcurrentSyncs, 1, 1000)
	o.integer("max_concurrent_access_control_syncs", &s.MaxConcurrentAccessControlSyncs, 1, 1000)
	o.duration("job_cleanup_interval", &s.JobCleanupInterval, 1)
	o.size("max_file_download_size", &s.MaxFileDownloadSize, 1, 1)
	s.PingURL, _ = o.secret("ping_url")
	l.workerMode(o, s)
	var fips bool
	if n := o.flag("fips_mode", &fips); fips {
		l.warn(n.at, o.key("fips_mode"), fipsHint)
	}
	o.ignore("trace_mem", "max_concurrent_scheduling_tasks", "incremental_sync_interval_seconds")
	o.done()
}

// workerMode reads the service types whose connectors are served without being
// named.
func (l *loader) workerMode(o *object, s *Service) {
	mode := o.flag("worker_mode", &s.WorkerMode)
	types := o.words("service_types", &s.ServiceTypes)
	switch {
	case l.failed(o.key("worker_mode")), l.failed(o.key("service_types")):
	case s.WorkerMode && len(s.ServiceTypes) == 0:
		o.fail(mode.at, "worker_mode", "is true, but service_types names no type", "list what to serve, such as service_types: [mysql, s3]")
	case !s.WorkerMode && len(s.ServiceTypes) > 0:
		l.warn(types.at, o.key("service_types"), "has no effect without worker_mode: true")
	}
}

func (l *loader) engine(o *object) {
	e := &l.config.Engine
	o.integer("readers", &e.Readers, 1, 256)
	o.size("budget", &e.Budget, 1, mebibyte)
	o.size("ids_memory", &e.IDsMemory, 1, mebibyte)
	o.size("embedded_cache", &e.EmbeddedCache, 1, mebibyte)
	o.duration("stall_timeout", &e.StallTimeout, 0)
	o.duration("shutdown_grace", &e.ShutdownGrace, 0)
	o.done()
}

func (l *loader) extraction(o *object) {
	e := &l.config.Extraction
	if n := o.text("host", &e.Host); e.Host != "" {
		if problem, hint := serviceHost(e.Host); problem != "" {
			o.fail(n.at, "host", problem, hint)
		}
	}
	o.choice("type", &e.Type, "auto", "elastic", "tika")
	o.duration("timeout", &e.Timeout, 1)
	pointers := o.flag("use_file_pointers", &e.UseFilePointers)
	o.size("stream_chunk_size", &e.StreamChunkSize, 1, 1)
	o.text("shared_volume_dir", &e.SharedVolumeDir)
	o.size("max_text_size", &e.MaxTextSize, 1, 1)
	o.size("max_file_size", &e.MaxFileSize, 1, 0)
	if e.UseFilePointers && e.Type == "tika" {
		o.fail(pointers.at, "use_file_pointers", "works only with Elastic's service", "Apache Tika's server is sent the files: remove the key")
	}
	o.done()
}

// serviceHost returns what is wrong with the address of an extraction service, and a hint.
func serviceHost(host string) (problem, hint string) {
	u, err := url.Parse(host)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return "must be an http:// or https:// address", "such as http://localhost:8090"
	case u.User != nil:
		return "has a user in it", "an extraction service has no logins; remove the part before @"
	case u.RawQuery != "" || u.Fragment != "":
		return "has a query in it", "end the address before the ? or #"
	}
	return "", ""
}
