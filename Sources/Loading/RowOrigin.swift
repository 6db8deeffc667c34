/// The position in the dataset where a row of a batch begins.
package struct RowOrigin: Sendable, Equatable {
  /// Rows per block of `PackedLoader.origins(block:)`.
  package static let block = RowSchedule.block

  /// The window's number in the dataset.
  package var window: UInt32
  /// The index of the row's first token in that window.
  package var token: UInt32
}
