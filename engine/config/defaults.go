package config

import "time"

// Limits of what is read. They are far above any real configuration and keep a
// broken or hostile file from taking memory or time.
const (
	maxFile     = 10 << 20 // bytes of a configuration file
	maxKeys     = 20_000   // separators of key and value
	maxEntries  = 100_000  // members of lists and lines, after aliases are replaced
	maxDepth    = 50       // sections and lists inside each other
	maxSecret   = 1 << 20  // bytes of a secret's file, a command's output or a .env
	maxReported = 50       // errors of one file
	mebibyte    = 1 << 20
)

// commandTimeout is how long a command that prints a secret may take.
const commandTimeout = 30 * time.Second

// The chunk size in the files of Elastic's connectors, which count lines, and the same in operations.
const (
	connectorsLines      = 1000
	connectorsOperations = 500
)

func defaults() *Config {
	return &Config{
		Elasticsearch: Elasticsearch{
			SSL:               true,
			VerifyCerts:       true,
			RequestTimeout:    120 * time.Second,
			MaxWaitDuration:   120 * time.Second,
			InitialBackoff:    time.Second,
			BackoffMultiplier: 2,
			MaxRetries:        5,
			RetryInterval:     10 * time.Second,
			RetryOnTimeout:    true,
			UseConnectorsAPI:  true,
			Bulk: Bulk{
				ChunkSize:       500,
				ChunkMaxMemSize: 5 * mebibyte,
				MaxConcurrency:  4,
				DisplayEvery:    100,
				ErrorMonitor: ErrorMonitor{
					Enabled:              true,
					MaxTotalErrors:       1000,
					MaxConsecutiveErrors: 10,
					MaxErrorRate:         0.15,
					ErrorWindowSize:      100,
					ErrorQueueSize:       10,
				},
			},
		},
		Service: Service{
			Idling:                          30 * time.Second,
			Heartbeat:                       300 * time.Second,
			PreflightMaxAttempts:            10,
			PreflightIdle:                   30 * time.Second,
			MaxErrors:                       20,
			MaxErrorsSpan:                   600 * time.Second,
			MaxConcurrentSyncs:              1,
			MaxConcurrentAccessControlSyncs: 1,
			JobCleanupInterval:              300 * time.Second,
			MaxFileDownloadSize:             10 * mebibyte,
		},
		Engine: Engine{
			Readers:       4,
			Budget:        64 * mebibyte,
			IDsMemory:     256 * mebibyte,
			EmbeddedCache: 64 * mebibyte,
			StallTimeout:  5 * time.Minute,
			ShutdownGrace: 30 * time.Second,
		},
		Extraction: Extraction{
			Type:            "auto",
			Timeout:         30 * time.Second,
			StreamChunkSize: 65536,
			SharedVolumeDir: "/app/files",
			MaxTextSize:     10 * mebibyte,
		},
		Sources: map[string]string{},
	}
}

func defaultGuard() Guard { return Guard{MaxDeletes: 10, MaxPercent: 10} }
