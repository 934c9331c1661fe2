/// The program's version, in `--version`, the metric `redeliver_build_info` and the log.
package enum RedeliverVersion {
    package static let current = "0.1.0"
}
