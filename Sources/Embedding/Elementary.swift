import Foundation

/// The few functions of the C library that the embedders use, in one place.
enum Elementary {
  /// ln x.
  static func natural(_ x: Double) -> Double { log(x) }
  /// x to the power y.
  static func power(_ x: Double, _ y: Double) -> Double { pow(x, y) }
}
