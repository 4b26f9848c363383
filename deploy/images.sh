#!/bin/sh
# Build the images, and run them for real, where no Docker engine and no registry can be reached: `make images`.
#
# Debian's packages give the tools and the base image; the wheels that the tests use give nats-server and mongod. The services
# come up with podman-compose from deploy/compose.yaml, a run starts, one container is killed in the middle, and the audit of the
# run must pass. The exit status is 0 only then. It needs root, 3 GB in /var/lib/containers, the ports of deploy/compose.yaml and
# about ten minutes.
#
#     deploy/images.sh build      build only
#     deploy/images.sh run        run what is built
set -eu
cd "$(dirname "$0")/.."

BIN=${BIN:-.venv/bin}
FOLDER=.make/images
BASE=localhost/libra-base:bookworm
SERVICES="dispatch attack gateway judge ranking arena web"
TOOLS="podman buildah runc catatonit netavark aardvark-dns iptables mmdebstrap"
VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
READY_SECONDS=180
RUN_SECONDS=300
# The run has 1,558 trials in every epoch. The container is killed this long after the start of the run.
EPOCHS=10
KILL_AFTER_SECONDS=4
KILLED=judge

say() {
    echo "images: $*" >&2
}

stop() {
    say "$*"
    exit 1
}

install_tools() {
    # shellcheck disable=SC2086 # one word a package
    if ! command -v podman >/dev/null || ! command -v buildah >/dev/null || ! command -v mmdebstrap >/dev/null; then
        [ "$(id -u)" = 0 ] || stop "run this as root: sudo make images"
        apt-get update >"$FOLDER/apt.log" 2>&1
        DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $TOOLS >>"$FOLDER/apt.log" 2>&1 ||
            stop "apt-get install $TOOLS failed: see $FOLDER/apt.log"
    fi
    [ -x "$FOLDER/tools/bin/podman-compose" ] || {
        "$BIN/python" -m venv "$FOLDER/tools"
        "$FOLDER/tools/bin/pip" install --quiet --disable-pip-version-check podman-compose==1.6.0
    }
}

# The settings with which podman works inside a container or a small virtual machine, too.
configure() {
    cat >"$FOLDER/containers.conf" <<END
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
END
    export CONTAINERS_CONF="$PWD/$FOLDER/containers.conf"
}

make_base() {
    ! podman image exists "$BASE" || return 0
    say "making the base image from Debian's packages"
    mmdebstrap --variant=minbase --include=python3,python3-venv,python-is-python3,ca-certificates bookworm \
        "$FOLDER/base.tar" >"$FOLDER/base.log" 2>&1 || stop "mmdebstrap failed: see $FOLDER/base.log"
    podman import --quiet "$FOLDER/base.tar" "$BASE" >/dev/null
    rm "$FOLDER/base.tar"
}

# The machine's own settings for pip and its certificates are used while an image is built, and are in none.
build() {
    pip=
    [ ! -f /etc/pip.conf ] || pip="--volume /etc/pip.conf:/etc/pip.conf:ro"
    # shellcheck disable=SC2086 # several words
    buildah bud --quiet --layers --pull-never --isolation chroot --network host $pip \
        --volume /etc/ssl/certs:/etc/ssl/certs:ro "$@" >>"$FOLDER/build.log" 2>&1 || stop "a build failed: see $FOLDER/build.log"
}

build_images() {
    for service in $SERVICES; do
        say "building libra-$service:$VERSION"
        build --build-arg "BASE=$BASE" --file deploy/Dockerfile --target "$service" --tag "localhost/libra-$service:$VERSION" .
    done
    mkdir -p "$FOLDER/servers"
    cp "$("$BIN/python" -c 'from libra.local.programs import binaries; print(binaries.nats_server())')" "$FOLDER/servers/"
    cp "$("$BIN/python" -c 'from libra.local.programs import binaries; print(binaries.mongod())')" "$FOLDER/servers/"
    say "building libra-nats and libra-mongo"
    build --build-arg "BASE=$BASE" --file deploy/images/Containerfile --target nats --tag localhost/libra-nats "$FOLDER/servers"
    build --build-arg "BASE=localhost/libra-ranking:$VERSION" --file deploy/images/Containerfile --target mongo \
        --tag localhost/libra-mongo "$FOLDER/servers"
}

compose() {
    "$FOLDER/tools/bin/podman-compose" --file deploy/compose.yaml --file deploy/images/compose.yaml "$@" >>"$FOLDER/compose.log" 2>&1
}

# Without systemd nobody runs the health checks: this does.
wait_until_ready() {
    deadline=$(($(date +%s) + READY_SECONDS))
    for service in mongo nats mongo-users $SERVICES; do
        until podman healthcheck run "libra_${service}_1" >"$FOLDER/health.log" 2>&1; do
            [ "$(date +%s)" -lt "$deadline" ] || stop "$service is not ready after $READY_SECONDS s: podman logs libra_${service}_1"
            sleep 1
        done
    done
    say "all services are ready"
}

# End the process of a container as a crash does; its restart policy starts it again.
crash() {
    kill -KILL "$(podman inspect --format '{{.State.Pid}}' "libra_$1_1")"
    say "killed $1"
}

run_and_audit() {
    # shellcheck source=deploy/addresses.sh
    . deploy/addresses.sh
    "$BIN/libra" run create --name images --model careful --model refuser --task '*' --attack none --attack few_shots \
        --epochs "$EPOCHS" --watch >"$FOLDER/run.log" 2>&1 &
    watch=$!
    until grep -qs '^run ' "$FOLDER/run.log" || ! kill -0 "$watch"; do sleep 0.2; done
    sleep "$KILL_AFTER_SECONDS"
    kill -0 "$watch" || stop "the run was over before $KILLED was killed: see $FOLDER/run.log"
    crash "$KILLED"
    timeout "$RUN_SECONDS" tail --pid="$watch" --follow /dev/null || stop "the run takes longer than $RUN_SECONDS s: see $FOLDER/run.log"
    wait "$watch" || say "the run has failed trials, or its watch was interrupted: see $FOLDER/run.log"
    wait_until_ready
    "$BIN/libra" audit last
}

run() {
    # shellcheck disable=SC2064 # the folder of now
    trap "compose down --volumes --timeout 5 || true" EXIT
    "$BIN/python" -m deploy.users create deploy/secrets
    say "starting the containers"
    # shellcheck disable=SC2086 # one word a service
    compose up --detach --no-build mongo nats mongo-users $SERVICES || stop "podman-compose failed: see $FOLDER/compose.log"
    wait_until_ready
    run_and_audit
    say "the audit passed"
}

mkdir -p "$FOLDER"
install_tools
configure
case "${1:-all}" in
build)
    make_base
    build_images
    ;;
run) run ;;
all)
    make_base
    build_images
    run
    ;;
*) stop "unknown command $1: build or run" ;;
esac
