import Foundation
import Pipeline
import Primitives

/// A question with answers to choose from, as tokens.
package struct ChoiceQuestion: Sendable {
  /// One answer.
  package struct Choice: Sendable {
    /// The question's tokens and the answer's.
    package var tokens: [Int32]
    /// How many of them, at the end, are the answer's.
    package var scored: Int
    /// Unicode scalars of the answer.
    package var characters: Int
    /// UTF-8 bytes of the answer.
    package var bytes: Int

    /// Creates an answer.
    package init(tokens: [Int32], scored: Int, characters: Int, bytes: Int) {
      self.tokens = tokens
      self.scored = scored
      self.characters = characters
      self.bytes = bytes
    }
  }

  /// The answers.
  package var choices: [Choice]
  /// The right one.
  package var answer: Int

  /// Creates a question.
  package init(choices: [Choice], answer: Int) {
    self.choices = choices
    self.answer = answer
  }
}

/// What a model makes of one question.
package struct ChoiceScore: Codable, Sendable, Equatable {
  /// The right answer.
  package var answer: Int
  /// log p of every answer after the question, in nats.
  package var scores: [Double]
  /// The answer of the highest log p; of equal ones the first, here and below.
  package var best: Int
  /// The same by log p over characters.
  package var bestByCharacter: Int
  /// The same by log p over bytes.
  package var bestByByte: Int

  enum CodingKeys: String, CodingKey {
    case answer, scores
    case best = "acc"
    case bestByCharacter = "acc_norm"
    case bestByByte = "acc_bytes"
  }

  /// Creates a score.
  package init(answer: Int, scores: [Double], best: Int, bestByCharacter: Int, bestByByte: Int) {
    self.answer = answer
    self.scores = scores
    self.best = best
    self.bestByCharacter = bestByCharacter
    self.bestByByte = bestByByte
  }
}

/// Accuracies on a set of questions under the names of lm-evaluation-harness, with its standard errors: those of a mean, √(s²/n) with s² over n − 1.
package struct ChoiceEvaluation: Codable, Sendable, Equatable {
  /// The set's name.
  package var name: String
  /// Questions.
  package var questions: Int
  /// The share of questions whose right answer has the highest log p.
  package var accuracy: Double
  /// Its standard error; nil for a single question.
  package var accuracyError: Double?
  /// By log p over the answer's characters.
  package var byCharacter: Double
  /// Its standard error.
  package var byCharacterError: Double?
  /// By log p over the answer's UTF-8 bytes.
  package var byByte: Double
  /// Its standard error.
  package var byByteError: Double?

  enum CodingKeys: String, CodingKey {
    case name, questions
    case accuracy = "acc"
    case accuracyError = "acc_stderr"
    case byCharacter = "acc_norm"
    case byCharacterError = "acc_norm_stderr"
    case byByte = "acc_bytes"
    case byByteError = "acc_bytes_stderr"
  }

  /// Sums scores up.
  package init(name: String, scores: [ChoiceScore]) {
    let count = Double(max(1, scores.count))
    func mean(_ choice: (ChoiceScore) -> Int) -> (Double, Double?) {
      let share = Double(scores.filter { choice($0) == $0.answer }.count) / count
      return (share, scores.count > 1 ? (share * (1 - share) / (count - 1)).squareRoot() : nil)
    }
    self.name = name
    questions = scores.count
    (accuracy, accuracyError) = mean(\.best)
    (byCharacter, byCharacterError) = mean(\.bestByCharacter)
    (byByte, byByteError) = mean(\.bestByByte)
  }
}

extension Evaluator {
  /// Scores questions as lm-evaluation-harness does: log p of each answer after the question; where both are longer than the model's
  /// positions, the question's beginning is left out.
  package func score(_ questions: [ChoiceQuestion], progress: Pipeline.Progress = .silent) throws -> [ChoiceScore] {
    let documents = questions.flatMap(\.choices).map { choice in
      let tokens = Array(choice.tokens.suffix(sequence + 1))
      return EvaluationDocument(tokens: tokens, bytes: choice.bytes, firstScored: tokens.count - choice.scored)
    }
    var rest = try score(documents, progress: progress)[...]
    return questions.map { question in
      let scores = rest.prefix(question.choices.count).map { -$0.nats }
      rest = rest.dropFirst(question.choices.count)
      func best(_ length: (ChoiceQuestion.Choice) -> Int) -> Int {
        var found = 0, highest = -Double.infinity
        for (index, choice) in question.choices.enumerated() where scores[index] / Double(max(1, length(choice))) > highest {
          (found, highest) = (index, scores[index] / Double(max(1, length(choice))))
        }
        return found
      }
      return ChoiceScore(
        answer: question.answer, scores: Array(scores), best: best { _ in 1 }, bestByCharacter: best(\.characters),
        bestByByte: best(\.bytes))
    }
  }
}
