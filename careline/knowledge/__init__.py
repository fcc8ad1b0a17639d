"""Clinical knowledge as data: findings, conditions, rules and complaints, checked when they are loaded."""
