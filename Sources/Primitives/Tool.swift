/// The program that writes files.
package enum Tool {
  package static let version = "0.1.0"
  /// Name and version, as manifests record them.
  package static let name = "weir \(version)"
}
