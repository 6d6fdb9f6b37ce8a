// FerretDB with the flags of its own command that we use. Its command itself cannot be installed from the module
// proxy: it stops at once for want of a version file that only a checkout of its repository has.
package main

import (
	"context"
	"flag"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	listen := flag.String("listen-addr", "127.0.0.1:27017", "")
	handler := flag.String("handler", "sqlite", "sqlite or postgresql")
	sqlite := flag.String("sqlite-url", "", "")
	postgresql := flag.String("postgresql-url", "", "")
	for _, ignored := range []string{"debug-addr", "telemetry", "state-dir", "log-level"} {
		flag.String(ignored, "", "taken for the sake of FerretDB's own command")
	}
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server, err := ferretdb.New(&ferretdb.Config{
		Listener:      ferretdb.ListenerConfig{TCP: *listen},
		Handler:       *handler,
		SQLiteURL:     *sqlite,
		PostgreSQLURL: *postgresql,
		Logger:        slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := server.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
