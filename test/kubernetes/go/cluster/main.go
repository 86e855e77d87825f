// Command cluster is etcd, or one of the parts of Kubernetes' control plane, as its first argument says.
//
// One program of all four is linked once, and is a third of the size of four.
package main

import (
	"fmt"
	"os"
	_ "time/tzdata"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

func main() {
	if len(os.Args) < 2 {
		refuse("nothing")
	}
	part := os.Args[1]
	os.Args = os.Args[1:]
	switch part {
	case "etcd":
		etcdmain.Main(os.Args)
	case "kube-apiserver":
		run(apiserver.NewAPIServerCommand())
	case "kube-controller-manager":
		run(controllermanager.NewControllerManagerCommand())
	case "kube-scheduler":
		run(scheduler.NewSchedulerCommand())
	default:
		refuse(part)
	}
}

func run(command *cobra.Command) {
	os.Exit(cli.Run(command))
}

func refuse(part string) {
	fmt.Fprintf(os.Stderr, "cluster: say etcd, kube-apiserver, kube-controller-manager or kube-scheduler, not %s\n", part)
	os.Exit(2)
}
