//! From event rows to SNS.
