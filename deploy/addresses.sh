# The addresses of the services for the command line, when `libra up` has not started them: `. deploy/addresses.sh`.
# They are the ports that deploy/compose.yaml publishes on this machine, and the ports to forward from a cluster.
export LIBRA_DISPATCH_ADDRESS=127.0.0.1:50051
export LIBRA_ATTACK_ADDRESS=127.0.0.1:50052
export LIBRA_GATEWAY_ADDRESS=127.0.0.1:50053
export LIBRA_JUDGE_ADDRESS=127.0.0.1:50054
export LIBRA_RANKING_ADDRESS=127.0.0.1:50055
export LIBRA_ARENA_ADDRESS=127.0.0.1:50056
