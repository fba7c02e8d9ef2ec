package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"cloud.google.com/go/storage"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
)

// A place is where objects are written: a bucket, a container, a folder of a share.
type place interface {
	// empty removes it with everything in it, if it exists.
	empty(context.Context) error
	create(context.Context) error
	put(ctx context.Context, key string, data []byte) error
}

// writers is how many objects are written at a time.
const writers = 16

// objects fills a place with text files of about 1 KB, a thousand to a folder. The servers are those of the
// tests, see docs/testing.md.
func objects(ctx context.Context, flags *flag.FlagSet, args []string, stdout io.Writer) error {
	in := flags.String("in", "", "s3, google_cloud_storage, azure_blob_storage or network_drive")
	name := flags.String("name", "yardstick", "bucket, container or folder to recreate")
	n := flags.Int64("n", 100_000, "objects; 0 removes the place")
	seed := flags.Uint64("seed", 1, "seed of the texts")
	if err := flags.Parse(args); err != nil {
		return err
	}
	p, err := placeOf(ctx, *in, *name)
	if err != nil {
		return fmt.Errorf("objects: %w", err)
	}
	if err := p.empty(ctx); err != nil || *n == 0 {
		return err
	}
	if err := p.create(ctx); err != nil {
		return err
	}
	g := newGenerator(*seed)
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(writers)
	for id := range *n {
		work.Go(func() error {
			r := g.row(id)
			return p.put(ctx, fmt.Sprintf("%04d/%07d.txt", id/1000, id), []byte(r.title+"\n"+r.body+"\n"))
		})
	}
	if err := work.Wait(); err != nil {
		return fmt.Errorf("fill %s %q: %w", *in, *name, err)
	}
	_, err = fmt.Fprintf(stdout, "%s: %d objects\n", *name, *n)
	return err
}

func placeOf(ctx context.Context, in, name string) (place, error) {
	switch in {
	case "s3":
		endpoint := os.Getenv("TEST_S3_ENDPOINT")
		return &bucket{name, s3.New(s3.Options{
			BaseEndpoint: &endpoint, Region: "us-east-1", UsePathStyle: true,
			Credentials: credentials.NewStaticCredentialsProvider(os.Getenv("TEST_S3_ACCESS_KEY"), os.Getenv("TEST_S3_SECRET_KEY"), ""),
		})}, nil
	case "google_cloud_storage":
		client, err := storage.NewClient(ctx, option.WithEndpoint(os.Getenv("TEST_GCS_ENDPOINT")), option.WithoutAuthentication(), storage.WithJSONReads())
		if err != nil {
			return nil, err
		}
		return &googleBucket{client.Bucket(name)}, nil
	case "azure_blob_storage":
		key, err := service.NewSharedKeyCredential(os.Getenv("TEST_AZURE_ACCOUNT"), os.Getenv("TEST_AZURE_KEY"))
		if err != nil {
			return nil, err
		}
		client, err := service.NewClientWithSharedKeyCredential(os.Getenv("TEST_AZURE_ENDPOINT"), key, nil)
		return &azureContainer{name, client}, err
	case "network_drive":
		owner, err := user.Lookup(os.Getenv("TEST_SMB_USER"))
		if err != nil {
			return nil, err
		}
		uid, err := strconv.Atoi(owner.Uid)
		return &shareFolder{filepath.Join(os.Getenv("TEST_SMB_PATH"), name), uid}, err
	}
	return nil, fmt.Errorf("unknown place -in %q", in)
}

type bucket struct {
	name   string
	client *s3.Client
}

func (b *bucket) create(ctx context.Context) error {
	_, err := b.client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &b.name})
	return err
}

func (b *bucket) put(ctx context.Context, key string, data []byte) error {
	_, err := b.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &b.name, Key: &key, Body: bytes.NewReader(data)})
	return err
}

func (b *bucket) empty(ctx context.Context) error {
	for {
		page, err := b.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &b.name})
		if _, absent := errors.AsType[*types.NoSuchBucket](err); absent {
			return nil
		}
		if err != nil {
			return err
		}
		if len(page.Contents) == 0 {
			_, err := b.client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &b.name})
			return err
		}
		var keys []types.ObjectIdentifier
		for i := range page.Contents {
			keys = append(keys, types.ObjectIdentifier{Key: page.Contents[i].Key})
		}
		if _, err := b.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &b.name, Delete: &types.Delete{Objects: keys}}); err != nil {
			return err
		}
	}
}

type googleBucket struct{ *storage.BucketHandle }

func (b *googleBucket) create(ctx context.Context) error { return b.Create(ctx, "yardstick", nil) }

func (b *googleBucket) put(ctx context.Context, key string, data []byte) error {
	w := b.Object(key).NewWriter(ctx)
	w.ChunkSize = 0 // in one request
	_, err := w.Write(data)
	return errors.Join(err, w.Close())
}

func (b *googleBucket) empty(ctx context.Context) error {
	for it := b.Objects(ctx, nil); ; {
		o, err := it.Next()
		switch {
		case errors.Is(err, storage.ErrBucketNotExist):
			return nil
		case errors.Is(err, iterator.Done):
			return b.Delete(ctx)
		case err == nil:
			err = b.Object(o.Name).Delete(ctx)
		}
		if err != nil {
			return err
		}
	}
}

type azureContainer struct {
	name   string
	client *service.Client
}

func (c *azureContainer) create(ctx context.Context) error {
	_, err := c.client.CreateContainer(ctx, c.name, nil)
	return err
}

func (c *azureContainer) put(ctx context.Context, key string, data []byte) error {
	_, err := c.client.NewContainerClient(c.name).NewBlockBlobClient(key).UploadBuffer(ctx, data, nil)
	return err
}

func (c *azureContainer) empty(ctx context.Context) error {
	_, err := c.client.DeleteContainer(ctx, c.name, nil)
	if bloberror.HasCode(err, bloberror.ContainerNotFound) {
		return nil
	}
	return err
}

// shareFolder is a folder of a share on this machine.
type shareFolder struct {
	path  string
	owner int
}

func (f *shareFolder) create(context.Context) error { return f.folder(f.path) }

func (f *shareFolder) folder(path string) error {
	return errors.Join(os.MkdirAll(path, 0o755), os.Chown(path, f.owner, -1))
}

func (f *shareFolder) put(_ context.Context, key string, data []byte) error {
	path := filepath.Join(f.path, filepath.FromSlash(key))
	return errors.Join(f.folder(filepath.Dir(path)), os.WriteFile(path, data, 0o600), os.Chown(path, f.owner, -1))
}

func (f *shareFolder) empty(context.Context) error { return os.RemoveAll(f.path) }
