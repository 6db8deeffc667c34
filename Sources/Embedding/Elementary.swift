import Foundation

/// The C library's functions that the embedders use.
enum Elementary {
  static func natural(_ x: Double) -> Double { log(x) }
  static func power(_ x: Double, _ y: Double) -> Double { pow(x, y) }
}
